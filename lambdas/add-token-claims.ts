import { GetParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import { setting } from '../src/compose/aws-config.ts';
import { cognitoClaims, type PreTokenEvent } from '../src/core/identity/cognito-claims.ts';

/** Cognito waits for five seconds, and then gives no token. */
const client = new SSMClient({
  maxAttempts: 2,
  requestHandler: { connectionTimeout: 500, requestTimeout: 1500 },
});
const rereadMs = 60_000;
let known: { readonly tenants: ReadonlyMap<string, string>; readonly readAtMs: number } | undefined;

/** Cognito's pre-token trigger: puts the tenant, and the scopes of a user's groups, into the token. */
export async function handler(
  event: PreTokenEvent & { response?: unknown },
): Promise<PreTokenEvent & { response?: unknown }> {
  if (known === undefined || Date.now() - known.readAtMs > rereadMs) {
    known = { tenants: await readTenants(), readAtMs: Date.now() };
  }
  event.response = cognitoClaims(event, known.tenants);
  return event;
}

/** The tenant of each client id, as the stack wrote it. */
async function readTenants(): Promise<ReadonlyMap<string, string>> {
  const name = setting('HMS_CLIENTS_PARAMETER');
  const { Parameter } = await client.send(new GetParameterCommand({ Name: name }));
  return new Map(Object.entries(JSON.parse(Parameter?.Value ?? '{}') as Record<string, string>));
}
