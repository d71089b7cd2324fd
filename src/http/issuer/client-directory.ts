import { createHash, timingSafeEqual } from 'node:crypto';

/** One that may ask for tokens. Its scopes are as tokens carry them: `hms/read:policy`. */
export interface IssuerClient {
  readonly clientId: string;
  readonly clientSecret: string;
  readonly tenant: string;
  readonly scopes: readonly string[];
}

/** Answers who a client is, if the secret is right, in a time that tells nothing of either. */
export type ClientDirectory = (clientId: string, clientSecret: string) => IssuerClient | undefined;

export function clientDirectory(clients: readonly IssuerClient[]): ClientDirectory {
  const entries = new Map(
    clients.map((client) => [client.clientId, { client, hash: sha256(client.clientSecret) }]),
  );
  const nobody = { client: undefined, hash: Buffer.alloc(32) };
  return (clientId, clientSecret) => {
    const { client, hash } = entries.get(clientId) ?? nobody;
    return timingSafeEqual(hash, sha256(clientSecret)) ? client : undefined;
  };
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
