import { PutSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { exitCodes } from '../../sdk/src/cli/exit-codes.ts';
import { Failure } from '../../sdk/src/cli/failure.ts';
import { contextOf, type ServiceSpec } from '../../lib/service-spec.ts';

/** What of AWS it takes to run a service. Errors: what AWS, or the CDK, says. */
export interface ServiceCloud {
  /** Makes or changes the service's stack. Takes a minute or two. */
  readonly deploy: (spec: ServiceSpec) => Promise<ServicePlace>;
  /** What the service is told in secret; it takes it within minutes, and at once the first. */
  readonly putSecret: (
    secretArn: string,
    settings: Readonly<Record<string, string>>,
  ) => Promise<void>;
  /** Takes the stack away, if it is there. */
  readonly destroy: (spec: ServiceSpec) => Promise<void>;
}

export interface ServicePlace {
  readonly stack: string;
  readonly url: string;
  readonly secretArn: string;
}

const root = join(import.meta.dirname, '../..');

/** By the CDK of this checkout, and with the credentials of the shell. What it says goes to stderr. */
export function serviceCloud(stage: string): ServiceCloud {
  return {
    async deploy(spec) {
      const folder = await mkdtemp(join(tmpdir(), 'hms-service-'));
      try {
        const outputsFile = join(folder, 'outputs.json');
        const how = ['--require-approval', 'never', '--outputs-file', outputsFile];
        await cdk(stage, spec, folder, ['deploy', ...how]);
        return placeIn(await readFile(outputsFile, 'utf8'));
      } finally {
        await rm(folder, { recursive: true, force: true });
      }
    },
    async putSecret(SecretId, settings) {
      // The CDK may know the region from elsewhere: arn:aws:secretsmanager:<region>:…
      const client = new SecretsManagerClient({ region: SecretId.split(':')[3] ?? '' });
      const SecretString = JSON.stringify(settings);
      try {
        await client.send(new PutSecretValueCommand({ SecretId, SecretString }));
      } finally {
        client.destroy();
      }
    },
    async destroy(spec) {
      const folder = await mkdtemp(join(tmpdir(), 'hms-service-'));
      try {
        await cdk(stage, spec, folder, ['destroy', '--force']);
      } finally {
        await rm(folder, { recursive: true, force: true });
      }
    },
  };
}

async function cdk(
  stage: string,
  spec: ServiceSpec,
  folder: string,
  args: readonly string[],
): Promise<void> {
  const context = Object.entries({ ...contextOf(spec), stage });
  const command = [
    join(root, 'node_modules/aws-cdk/bin/cdk'),
    ...args,
    '--app',
    'node bin/service-app.ts',
    '--output',
    join(folder, 'cdk.out'),
    '--no-notices',
    ...context.flatMap(([name, value]) => ['--context', `${name}=${value}`]),
  ];
  // A shell runs the app: by the Node that runs us.
  const path = [dirname(process.execPath), process.env['PATH']].join(delimiter);
  const env = { ...process.env, PATH: path, CDK_DISABLE_CLI_TELEMETRY: '1' };
  // In its own folder: cdk.json there says which of its features are on.
  const child = spawn(process.execPath, command, { cwd: root, env, stdio: ['ignore', 2, 2] });
  const [code] = (await once(child, 'exit')) as [number | null];
  if (code === 0) return;
  throw new Failure(exitCodes.refused, `cdk ${args[0]} failed: what it said is above.`);
}

/** Of the one stack that there is. */
function placeIn(outputs: string): ServicePlace {
  const [found] = Object.entries(
    JSON.parse(outputs) as Readonly<Record<string, Readonly<Record<string, string>>>>,
  );
  const [stack, { ServiceUrl: url, SecretArn: secretArn } = {}] = found ?? [];
  if (stack === undefined || url === undefined || secretArn === undefined) {
    throw new Error('The stack of the service has no outputs.');
  }
  return { stack, url, secretArn };
}
