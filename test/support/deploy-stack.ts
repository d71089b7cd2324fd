import { join } from 'node:path';

import { runStep } from './run-step.ts';

export interface DeployOptions {
  /** The checkout: what its `cdk.json` names is deployed. */
  readonly root: string;
  /** With `AWS_ENDPOINT_URL` of the emulator, region and credentials. */
  readonly env: NodeJS.ProcessEnv;
  readonly signal: AbortSignal;
}

/** MiniStack's own. */
const account = '000000000000';

/**
 * Deploys the CDK app to the emulator, with the context `emulator=true`, and answers the file with
 * the outputs of its stacks: `{ [stack]: { [output]: value } }`.
 */
export async function deployStack({ root, env, signal }: DeployOptions): Promise<string> {
  const { AWS_ENDPOINT_URL, AWS_REGION } = env;
  // Else the CLI would go to whatever account the machine's credentials are for.
  if (!AWS_ENDPOINT_URL || !AWS_REGION) throw new Error('no emulator to deploy to');
  const outputsFile = join(root, '.cache/outputs.json');
  const program = join(root, 'node_modules/aws-cdk/bin/cdk');
  const output = join(root, '.cache/cdk.out');
  const cdk = (...args: string[]): Promise<void> =>
    runStep(
      {
        command: process.execPath,
        args: [program, ...args, '--output', output, '--context', 'emulator=true', '--no-notices'],
        env: { ...env, CDK_DISABLE_CLI_TELEMETRY: '1', CI: '1' },
        cwd: root,
        logFile: join(root, `.cache/cdk-${args[0]}.log`),
      },
      signal,
    );
  await cdk('bootstrap', `aws://${account}/${AWS_REGION}`);
  await cdk('deploy', '--all', '--require-approval', 'never', '--outputs-file', outputsFile);
  return outputsFile;
}
