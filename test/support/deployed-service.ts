import { readFile } from 'node:fs/promises';
import { fetchToken } from './fetch-token.ts';
import type { ClientName, Service } from './service.ts';

type Outputs = Readonly<Record<string, Readonly<Record<string, string>>>>;

/**
 * The stack that `npm run test:aws` has deployed, by the outputs in the file that
 * `HMS_TEST_OUTPUTS` names, on the emulator at `AWS_ENDPOINT_URL`.
 */
export async function deployedService(): Promise<Service> {
  const outputs = await readOutputs();
  const baseUrl = output(outputs, 'ApiUrl');
  const tokenUrl = output(outputs, 'TokenUrl');
  const taken = new Map<string, Promise<string>>();
  async function take(name: ClientName, scopes: readonly string[] | undefined): Promise<string> {
    return fetchToken(tokenUrl, await clientIn(outputs, name), scopes);
  }
  return {
    baseUrl,
    token: async (name, scopes) => {
      const wanted = scopes?.map((scope) => `hms/${scope}`);
      const key = [name, ...(wanted ?? [])].join(' ');
      const token = taken.get(key) ?? take(name, wanted);
      taken.set(key, token);
      return token;
    },
    close: async () => undefined,
    lagMs: 5000,
    streams: 'collected',
    behindGateway: true,
    jobLogs: 16,
    basePath: `/${output(outputs, 'ApiStage')}`,
  };
}

/** An output of the deployed stacks. */
export async function deployedOutput(name: string): Promise<string> {
  return output(await readOutputs(), name);
}

/** What a client of the deployed stacks takes its tokens with. */
export async function deployedClient(name: ClientName): Promise<OwnClient> {
  return clientIn(await readOutputs(), name);
}

interface OwnClient {
  readonly clientId: string;
  readonly clientSecret: string;
}

async function clientIn(outputs: Outputs, name: ClientName): Promise<OwnClient> {
  const clientId = output(outputs, `Client${pascalCase(name)}`);
  return { clientId, clientSecret: await secretOf(output(outputs, 'UserPoolId'), clientId) };
}

async function readOutputs(): Promise<Outputs> {
  const file = process.env['HMS_TEST_OUTPUTS'];
  if (file === undefined) throw new Error('Nothing is deployed: run npm run test:aws');
  return JSON.parse(await readFile(file, 'utf8')) as Outputs;
}

/** Whichever stack has it. */
function output(outputs: Outputs, name: string): string {
  const found = Object.values(outputs).find((stack) => Object.hasOwn(stack, name))?.[name];
  if (found === undefined) throw new Error(`No stack has the output ${name}`);
  return found;
}

/** Without the client: nothing else here needs it, and the emulator looks at no signature. */
async function secretOf(poolId: string, clientId: string): Promise<string> {
  const { AWS_ENDPOINT_URL = '', AWS_REGION = '' } = process.env;
  const response = await fetch(AWS_ENDPOINT_URL, {
    method: 'POST',
    headers: {
      'Content-Type': 'application/x-amz-json-1.1',
      'X-Amz-Target': 'AWSCognitoIdentityProviderService.DescribeUserPoolClient',
      Authorization: `AWS4-HMAC-SHA256 Credential=test/20260101/${AWS_REGION}/cognito-idp/aws4_request, SignedHeaders=host, Signature=none`,
    },
    body: JSON.stringify({ UserPoolId: poolId, ClientId: clientId }),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`DescribeUserPoolClient: ${response.status} ${text}`);
  const answer = JSON.parse(text) as { UserPoolClient: { ClientSecret: string } };
  return answer.UserPoolClient.ClientSecret;
}

function pascalCase(name: string): string {
  return name.replaceAll(/(?:^|-)([a-z])/g, (_, letter: string) => letter.toUpperCase());
}
