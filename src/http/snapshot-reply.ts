import type { Deps } from '../core/deps.ts';
import { findSnapshot } from '../core/policies/find-snapshot.ts';
import { placeSnapshot, readBody } from '../core/policies/read-rule.ts';
import type { SnapshotRecord } from '../core/policies/snapshot-record.ts';
import { ifNoneMatchNames } from './etag.ts';
import { digestName } from '../core/packages/digest.ts';
import { packageForm } from './package-form.ts';
import type { Reply } from './reply.ts';

type SnapshotDeps = Pick<Deps, 'records' | 'blobs'>;

/** A stored snapshot as its rule in JSON or, when the caller asks for it, as the exact package. */
export async function snapshotReply(
  deps: SnapshotDeps,
  tenant: string,
  id: string,
  name: string,
  headers: { readonly accept?: string | undefined; readonly 'if-none-match'?: string | undefined },
): Promise<Reply> {
  const form = packageForm(headers.accept ?? '*/*');
  const record = await findSnapshot(deps, tenant, id, name);
  const { snapshot, version, digest } = record;
  const tag = form === 'zip' ? `${snapshot}.zip` : snapshot;
  const common: Record<string, string> = {
    etag: `"${tag}"`,
    // A name may come to mean another snapshot or turn ambiguous; only the full id is for ever.
    'cache-control':
      name === snapshot ? 'private, max-age=31536000, immutable' : 'private, no-cache',
    vary: 'Authorization, Accept',
    'x-snapshot': snapshot,
    'x-policy-version': version,
    'x-package-digest': digestName(digest),
  };
  const known = headers['if-none-match'];
  if (known !== undefined && ifNoneMatchNames(known, tag)) {
    return { status: 304, headers: common, body: null };
  }
  return form === 'zip'
    ? packageReply(deps, tenant, record, common)
    : {
        status: 200,
        headers: { ...common, 'content-type': 'application/json' },
        body: await readBody(deps, tenant, (await placeSnapshot(deps, tenant, id, record)).body),
      };
}

async function packageReply(
  deps: SnapshotDeps,
  tenant: string,
  { snapshot, digest }: SnapshotRecord,
  headers: Readonly<Record<string, string>>,
): Promise<Reply> {
  const bytes = await deps.blobs.get({ tenant, digest });
  if (bytes === undefined) throw new Error(`The package ${digest} is missing from the blob store.`);
  return {
    status: 200,
    headers: {
      ...headers,
      'content-type': 'application/zip',
      'content-disposition': `attachment; filename="${snapshot}.zip"`,
      // RFC 9530: lets a court check the bytes with no more than a hash function.
      'repr-digest': `sha-256=:${Buffer.from(digest, 'hex').toString('base64')}:`,
    },
    body: bytes,
  };
}
