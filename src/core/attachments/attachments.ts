import type { Deps } from '../deps.ts';
import { getRecord, queryRecords } from '../records.ts';
import type { Attachment } from './attachment.ts';
import { NotFound } from '../errors/app-error.ts';
import { commit, type Decision } from '../journal/commit.ts';
import type { Origin } from '../journal/journal-entry.ts';
import { digestName, sha256Hex } from '../packages/digest.ts';
import type { Page } from '../policies/list-policies.ts';
import {
  attachmentDigestKey,
  attachmentDigestPrefix,
  attachmentKey,
  attachmentPrefix,
  policyPartition,
} from '../policies/policy-keys.ts';
import { requirePolicy } from '../policies/read-history.ts';
import { sortableIndex } from '../journal/journal-keys.ts';

export interface NewAttachment {
  readonly name: string;
  readonly contentType: string;
  readonly bytes: Uint8Array;
  readonly reason: string | null;
}

export interface AddedAttachment {
  readonly status: 'stored' | 'unchanged';
  readonly attachment: Attachment;
}

/** Stores a document beside a policy. The same bytes under the same name: `unchanged`. */
export async function addAttachment(
  deps: Pick<Deps, 'records' | 'blobs' | 'clock' | 'ids' | 'signal'>,
  origin: Origin,
  id: string,
  { name, contentType, bytes, reason }: NewAttachment,
): Promise<AddedAttachment> {
  const { tenant, actor } = origin;
  await requirePolicy(deps, tenant, id);
  const digest = sha256Hex(bytes);
  const known = attachmentDigestKey(tenant, id, digest, name);
  return commit(deps, origin, async (): Promise<Decision<AddedAttachment>> => {
    const found = await getRecord(deps, known);
    if (found !== undefined) {
      const attachment = found.value;
      return { kind: 'unchanged', result: { status: 'unchanged', attachment } };
    }
    await deps.blobs.put({ tenant, digest }, bytes);
    const described = { name, digest, contentType, sizeBytes: bytes.byteLength };
    const attached = (entry: { at: string; index: number }): Attachment => ({
      ...described,
      at: entry.at,
      actor,
      index: entry.index,
    });
    return {
      kind: 'change',
      entry: {
        action: 'attachment.added',
        subject: id,
        before: null,
        after: { ...described, digest: digestName(digest) },
        reason,
      },
      writes: (entry) => [
        { kind: 'put', key: known, value: attached(entry), expect: 'absent' },
        {
          kind: 'put',
          key: attachmentKey(tenant, id, entry.index),
          value: attached(entry),
          expect: 'absent',
        },
      ],
      result: (entry) => ({ status: 'stored', attachment: attached(entry) }),
    };
  });
}

/** The documents of a policy, newest first, after `cursor` (an index). */
export async function listAttachments(
  deps: Pick<Deps, 'records'>,
  tenant: string,
  id: string,
  cursor: number | undefined,
  limit: number,
): Promise<Page<Attachment>> {
  await requirePolicy(deps, tenant, id);
  const found = await queryRecords<Attachment>(deps, {
    partition: policyPartition(tenant, id),
    prefix: attachmentPrefix,
    after: cursor === undefined ? undefined : `${attachmentPrefix}${sortableIndex(cursor)}`,
    order: 'desc',
    limit,
  });
  const items = found.map((record) => record.value);
  const last = items.at(-1);
  return { items, next: items.length < limit || last === undefined ? null : `${last.index}` };
}

/** One document with its bytes. Errors: `NotFound`, also for one that only others have. */
export async function readAttachment(
  deps: Pick<Deps, 'records' | 'blobs'>,
  tenant: string,
  id: string,
  digest: string,
): Promise<{ attachment: Attachment; bytes: Uint8Array }> {
  const [found] = await queryRecords<Attachment>(deps, {
    partition: policyPartition(tenant, id),
    prefix: attachmentDigestPrefix(digest),
    limit: 1,
  });
  const bytes = found === undefined ? undefined : await deps.blobs.get({ tenant, digest });
  if (found === undefined || bytes === undefined) {
    throw new NotFound('The policy has no such attachment.');
  }
  return { attachment: found.value, bytes };
}
