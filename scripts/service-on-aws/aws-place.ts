import { readFile } from 'node:fs/promises';
import { exitCodes } from '../../sdk/src/cli/exit-codes.ts';
import { Failure } from '../../sdk/src/cli/failure.ts';

/** What a client takes its tokens with. */
interface OwnClient {
  readonly clientId: string;
  readonly clientSecret: string;
}

/** A deployed HMS, and what it takes to put a service there. */
export interface AwsPlace extends OwnClient {
  /** A stage of `lib/config.ts`. */
  readonly stage: string;
  readonly url: string;
  readonly tokenUrl: string;
  /** What the service takes its own tokens with; null: it takes none. */
  readonly serviceClient: OwnClient | null;
  /** Where alarms of the platform go; null: those of the service go to a topic of its own. */
  readonly alarmTopicArn: string | null;
}

export interface AwsOptions {
  readonly stage?: string | undefined;
  /** What `cdk deploy --all --outputs-file` has written. */
  readonly outputsFile?: string | undefined;
}

type Outputs = Readonly<Record<string, Readonly<Record<string, string>>>>;
type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Where things are, by the outputs of the platform's stacks, and by `HMS_URL` and `HMS_TOKEN_URL`;
 * who asks, by `HMS_CLIENT_ID` and `HMS_CLIENT_SECRET`. Errors: one that says what is missing.
 */
export async function awsPlace(
  { stage = 'dev', outputsFile }: AwsOptions,
  env: Environment = process.env,
): Promise<AwsPlace> {
  const outputs = outputsFile === undefined ? {} : await readOutputs(outputsFile);
  const needed = {
    url: outputs['ApiUrl'] ?? env['HMS_URL'],
    tokenUrl: outputs['TokenUrl'] ?? env['HMS_TOKEN_URL'],
    clientId: env['HMS_CLIENT_ID'],
    clientSecret: env['HMS_CLIENT_SECRET'],
  };
  const missing = Object.entries(needed).filter(([, value]) => value === undefined || value === '');
  if (missing.length > 0) {
    const names = missing.map(([name]) => variables[name as keyof typeof variables]).join(', ');
    throw new Failure(
      exitCodes.usage,
      `Set ${names}: of the deployed HMS, and of a client that may change services.`,
      ['--outputs FILE has the first two: what cdk deploy --all --outputs-file FILE writes'],
    );
  }
  const { HMS_SERVICE_CLIENT_ID: id = '', HMS_SERVICE_CLIENT_SECRET: secret = '' } = env;
  return {
    ...(needed as Readonly<Record<keyof typeof needed, string>>),
    stage,
    serviceClient: id === '' ? null : { clientId: id, clientSecret: secret },
    alarmTopicArn: outputs['AlarmTopicArn'] ?? null,
  };
}

const variables = {
  url: 'HMS_URL',
  tokenUrl: 'HMS_TOKEN_URL',
  clientId: 'HMS_CLIENT_ID',
  clientSecret: 'HMS_CLIENT_SECRET',
};

/** Those of all stacks together. */
async function readOutputs(file: string): Promise<Readonly<Record<string, string>>> {
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    throw new Failure(exitCodes.usage, `Cannot read ${file}.`, [], { cause: error });
  });
  return Object.assign({}, ...Object.values(JSON.parse(text) as Outputs)) as Record<string, string>;
}
