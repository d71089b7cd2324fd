import type { Deps } from '../deps.ts';
import { Conflict, type ErrorDetail, TooLarge, Unprocessable } from '../errors/app-error.ts';
import { parseGeoJson } from '../geo/parse-geojson.ts';
import { commit, type Decision } from '../journal/commit.ts';
import type { Origin } from '../journal/journal-entry.ts';
import { decodeUtf8 } from '../packages/decode-utf8.ts';
import { digestName, sha256Hex } from '../packages/digest.ts';
import { getRecord } from '../records.ts';
import type { Json } from '../values/json.ts';
import { parseStrictJson } from '../values/strict-json.ts';
import { referenceKey, referencesPartition } from './reference-keys.ts';
import { referenceLimits, referenceNamePattern, type ReferenceRecord } from './reference-record.ts';

const { maxBytes, maxDepth, maxReferences } = referenceLimits;

export interface PutReference {
  readonly status: 'stored' | 'unchanged';
  readonly reference: ReferenceRecord;
}

/**
 * Stores a GeoJSON document under a name, or replaces the one there. The same bytes again:
 * `unchanged`. Workers use it from their next job on.
 * Errors: `Unprocessable` with a pointer for everything wrong; `TooLarge`; `Conflict` with 100
 * documents; puts at the same moment may go a little beyond.
 */
export async function putReference(
  deps: Pick<Deps, 'records' | 'blobs' | 'clock' | 'ids' | 'signal'>,
  origin: Origin,
  name: string,
  bytes: Uint8Array,
  reason: string | null = null,
): Promise<PutReference> {
  const { tenant, actor } = origin;
  if (!referenceNamePattern.test(name)) {
    throw refusal([{ pointer: '', detail: 'is named by 1 to 64 of a-z 0-9 -, and no - first' }]);
  }
  const digest = sha256Hex(bytes);
  const described = { name, digest, sizeBytes: bytes.byteLength, features: countFeatures(bytes) };
  let kept: Promise<unknown> | undefined;
  return commit(deps, origin, async (): Promise<Decision<PutReference>> => {
    const key = referenceKey(tenant, name);
    const found = await getRecord(deps, key);
    const known = found?.value;
    if (known?.digest === digest) {
      return { kind: 'unchanged', result: { status: 'unchanged', reference: known } };
    }
    if (known === undefined) await requireRoom(deps, tenant);
    await (kept ??= deps.blobs.put({ tenant, digest }, bytes));
    const stored = (at: string): ReferenceRecord => ({
      ...described,
      changedAt: at,
      changedBy: actor,
    });
    return {
      kind: 'change',
      entry: {
        action: 'reference.stored',
        subject: `reference:${name}`,
        before: known === undefined ? null : stateOf(known),
        after: stateOf(described),
        reason,
      },
      writes: ({ at }) => [{ kind: 'put', key, value: stored(at), expect: found?.rev ?? 'absent' }],
      result: ({ at }) => ({ status: 'stored', reference: stored(at) }),
    };
  });
}

async function requireRoom(deps: Pick<Deps, 'records'>, tenant: string): Promise<void> {
  const partition = referencesPartition(tenant);
  const found = await deps.records.query({ partition, limit: maxReferences });
  if (found.length < maxReferences) return;
  throw new Conflict(`There are ${maxReferences} documents, the most there can be: replace one.`);
}

function stateOf({
  digest,
  sizeBytes,
  features,
}: Pick<ReferenceRecord, 'digest' | 'sizeBytes' | 'features'>): Json {
  return { digest: digestName(digest), sizeBytes, features };
}

function countFeatures(bytes: Uint8Array): number {
  if (bytes.byteLength > maxBytes) {
    throw new TooLarge(`Reference data has at most ${maxBytes / 1024 / 1024} MiB.`);
  }
  const text = decodeUtf8(bytes);
  if (text === undefined)
    throw refusal([{ pointer: '', detail: 'is not UTF-8; save it as UTF-8' }]);
  const json = parseStrictJson(text, maxDepth);
  if ('problem' in json) throw refusal([{ pointer: '', detail: json.problem }]);
  const parsed = parseGeoJson(json.value);
  if ('findings' in parsed) throw refusal(parsed.findings);
  return parsed.features.length;
}

function refusal(findings: readonly ErrorDetail[]): Unprocessable {
  const [first] = findings;
  const where = `${first?.pointer || 'it'} ${first?.detail ?? ''}`;
  const more = findings.length > 1 ? ` (and ${findings.length - 1} more)` : '';
  const message = `The reference data is refused: ${where}${more}.`;
  return new Unprocessable('invalid_document', message, findings);
}
