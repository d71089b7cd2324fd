import { mkdir } from 'node:fs/promises';
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
  const cache = join(root, '.cache');
  const outputsFile = join(cache, 'outputs.json');
  const cdk = (cwd: string, ...args: string[]): Promise<void> =>
    runStep(
      {
        command: process.execPath,
        args: [join(root, 'node_modules/aws-cdk/bin/cdk'), ...args, '--no-notices'],
        env: { ...env, CDK_DISABLE_CLI_TELEMETRY: '1', CI: '1' },
        cwd,
        logFile: join(cache, `cdk-${args[0]}.log`),
      },
      signal,
    );
  // Away from our cdk.json: the CLI would synthesize the app for nothing.
  await mkdir(cache, { recursive: true });
  await cdk(cache, 'bootstrap', `aws://${account}/${AWS_REGION}`);
  const how = ['--all', '--require-approval', 'never', '--context', 'emulator=true'];
  const where = ['--output', join(cache, 'cdk.out'), '--outputs-file', outputsFile];
  await cdk(root, 'deploy', ...how, ...where);
  return outputsFile;
}
