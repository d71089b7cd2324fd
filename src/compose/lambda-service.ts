import {
  GetSecretValueCommand,
  ResourceNotFoundException,
  SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import { Hono } from 'hono';
import { handle } from 'hono/aws-lambda';
import { awsClient, setting } from './aws-config.ts';

/** What a service is told when it is made: the environment, and what is in its secret. */
type Settings = Readonly<Record<string, string | undefined>>;
type Service = (request: Request) => Promise<Response>;

interface Made {
  readonly service: Service;
  /** The secret that it was made with, as it was read; empty: there was none yet. */
  readonly secret: string;
  readonly readAtMs: number;
}

/** A secret is read again after that … */
const maxAgeMs = 300_000;
/** … and where the service refused somebody. While there is none, somebody is about to put it. */
const refusedMs = 10_000;

/**
 * A service as a Lambda handler behind a function URL. It is made with the first call, and made anew
 * when its secret has changed; what it was made with goes on while the secret cannot be read.
 */
export function lambdaService(
  createService: (settings: Settings) => Service,
  readSecret: () => Promise<string> = secretReader(),
): ReturnType<typeof handle> {
  let made: Made | undefined;
  let wasRefused = false;

  async function current(): Promise<Service> {
    if (made !== undefined && Date.now() - made.readAtMs < maxAgeOf(made, wasRefused)) {
      return made.service;
    }
    wasRefused = false;
    const secret = await readSecret().catch((error: unknown) => {
      if (made === undefined) throw error;
      return made.secret;
    });
    const service =
      made?.secret === secret
        ? made.service
        : createService({ ...process.env, ...settingsIn(secret) });
    made = { service, secret, readAtMs: Date.now() };
    return service;
  }

  const app = new Hono().all('*', async ({ req }) => {
    const service = await current();
    const response = await service(req.raw);
    wasRefused ||= response.status === 401;
    return response;
  });
  return handle(app);
}

function maxAgeOf({ secret }: Made, wasRefused: boolean): number {
  if (secret === '') return 0;
  return wasRefused ? refusedMs : maxAgeMs;
}

function settingsIn(secret: string): Settings {
  return secret === '' ? {} : (JSON.parse(secret) as Settings);
}

function secretReader(): () => Promise<string> {
  const client = new SecretsManagerClient(awsClient);
  const SecretId = setting('HMS_SECRET_ARN');
  return async () => {
    try {
      return (await client.send(new GetSecretValueCommand({ SecretId }))).SecretString ?? '';
    } catch (error) {
      if (error instanceof ResourceNotFoundException) return '';
      throw error;
    }
  };
}
