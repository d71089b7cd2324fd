import type { Deps } from '../core/deps.ts';
import { findSnapshot } from '../core/policies/find-snapshot.ts';
import type { StoredBody } from '../core/policies/channel-record.ts';
import { placeSnapshot, readBody } from '../core/policies/read-rule.ts';
import type { SnapshotRecord } from '../core/policies/snapshot-record.ts';
import { ifNoneMatchNames } from './etag.ts';
import { digestName } from '../core/packages/digest.ts';
import { packageForm } from './package-form.ts';
import type { Reply } from './reply.ts';
import { reprDigest } from './repr-digest.ts';

type SnapshotDeps = Pick<Deps, 'records' | 'blobs'>;
type Form = ReturnType<typeof packageForm>;

/** The app adds it to every reply; here it is for those that leave before the app. */
const nosniff = { 'x-content-type-options': 'nosniff' };

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
  const common = headersOf(record, form, name);
  if (isKnown(record, form, headers['if-none-match'])) {
    return { status: 304, headers: common, body: null };
  }
  if (form === 'zip') return packageReply(deps, tenant, record, common);
  const { body, bodyDigest } = await placeSnapshot(deps, tenant, id, record);
  return jsonReply(common, bodyDigest, await readBody(deps, tenant, body));
}

/**
 * The same for who asks by its full id for the rule in JSON, from the records alone; null when the
 * body lies elsewhere, or its digest was not kept.
 */
export function snapshotReplyAtHand(
  record: SnapshotRecord,
  body: StoredBody,
  ifNoneMatch: string | undefined,
): Reply | null {
  const common = headersOf(record, 'json', record.snapshot);
  if (isKnown(record, 'json', ifNoneMatch)) {
    return { status: 304, headers: { ...common, ...nosniff }, body: null };
  }
  const { bodyDigest } = record;
  if (bodyDigest === undefined || !('json' in body)) return null;
  return jsonReply({ ...common, ...nosniff }, bodyDigest, body.json);
}

function headersOf(
  { snapshot, version, digest }: SnapshotRecord,
  form: Form,
  name: string,
): Record<string, string> {
  return {
    etag: `"${tagOf(snapshot, form)}"`,
    // A name may come to mean another snapshot or turn ambiguous; only the full id is for ever.
    'cache-control':
      name === snapshot ? 'private, max-age=31536000, immutable' : 'private, no-cache',
    vary: 'Authorization, Accept',
    'x-snapshot': snapshot,
    'x-policy-version': version,
    'x-package-digest': digestName(digest),
  };
}

function isKnown({ snapshot }: SnapshotRecord, form: Form, ifNoneMatch: string | undefined) {
  return ifNoneMatch !== undefined && ifNoneMatchNames(ifNoneMatch, tagOf(snapshot, form));
}

function tagOf(snapshot: string, form: Form): string {
  return form === 'zip' ? `${snapshot}.zip` : snapshot;
}

function jsonReply(
  headers: Readonly<Record<string, string>>,
  bodyDigest: string,
  body: string,
): Reply {
  const digest = { 'repr-digest': reprDigest(bodyDigest) };
  return {
    status: 200,
    headers: { ...headers, 'content-type': 'application/json', ...digest },
    body,
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
      'repr-digest': reprDigest(digest),
    },
    body: bytes,
  };
}
