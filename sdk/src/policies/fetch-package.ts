import type { Api } from '../api/api.ts';
import { BadAnswerError } from '../api/errors.ts';
import { sha256Name } from './sha256.ts';
import { snapshotPath } from './snapshot-path.ts';

const maxPackageBytes = 6 * 1024 * 1024;

/**
 * The exact stored package of a snapshot, whose digest is what the answer (`Repr-Digest`, RFC 9530) and
 * the name of the snapshot say.
 * Errors: `BadAnswerError` when it is not; else as of `send`.
 */
export async function fetchPackage(
  api: Pick<Api, 'send'>,
  id: string,
  snapshot: string,
  signal: AbortSignal,
): Promise<Uint8Array> {
  const { bytes, headers } = await api.send({
    path: snapshotPath(id, snapshot),
    headers: { accept: 'application/zip' },
    maxBytes: maxPackageBytes,
    signal,
  });
  const digest = await sha256Name(bytes);
  if (!snapshot.endsWith(`-${digest.slice(7, 15)}`)) {
    throw new BadAnswerError(`The package is not that of ${snapshot}: it has ${digest}.`);
  }
  const said = /(?:^|[,\s])sha-256=:([\w+/]{43}=):/.exec(headers.get('repr-digest') ?? '')?.[1];
  if (said !== undefined && said !== base64Of(digest.slice(7))) {
    throw new BadAnswerError(`The package of ${snapshot} does not match its Repr-Digest.`);
  }
  return bytes;
}

function base64Of(hex: string): string {
  const bytes = hex.match(/../g)?.map((pair) => Number.parseInt(pair, 16)) ?? [];
  return btoa(String.fromCharCode(...bytes));
}
