import type { Deps } from '../deps.ts';
import { NearFeatures } from '../geo/near-features.ts';
import { parseGeoJson } from '../geo/parse-geojson.ts';
import { getRecord } from '../records.ts';
import type { Json } from '../values/json.ts';
import { bytesOfReference } from './read-reference.ts';
import { referenceKey } from './reference-keys.ts';
import type { ReferenceRecord } from './reference-record.ts';

/** A document of reference data as workers use it. */
export interface ReferenceIndex {
  readonly name: string;
  /** Of the document that it was made from: 64 hex digits. */
  readonly digest: string;
  readonly features: NearFeatures;
}

/** The reference data of every tenant, ready for use. */
export interface ReferenceIndexes {
  /**
   * What is stored under the name now; null when nothing is. One record read; the document is read
   * and indexed only when it is not in memory, which takes some 300 ms for one of 4 MiB.
   */
  load(tenant: string, name: string): Promise<ReferenceIndex | null>;
}

interface Kept {
  readonly loading: Promise<NearFeatures>;
  readonly weight: number;
}

/** Of documents, which take up to six times as much when they are indexed. */
const maxKeptBytes = 8 * 1024 * 1024;
/** What the smallest counts for, so that the number of them is bounded as well. */
const minWeight = 16 * 1024;

/**
 * Keeps the indexes of documents of 8 MiB together in memory, by their digest: what was used
 * longest ago makes room. Concurrent loads of one document are one.
 */
export function referenceIndexes(
  deps: Pick<Deps, 'records' | 'blobs'>,
  { maxBytes = maxKeptBytes }: { readonly maxBytes?: number } = {},
): ReferenceIndexes {
  /** Used longest ago first. */
  const kept = new Map<string, Kept>();
  let total = 0;

  function drop(key: string, entry: Kept): void {
    if (kept.get(key) !== entry) return;
    kept.delete(key);
    total -= entry.weight;
  }

  function keep(key: string, loading: Promise<NearFeatures>, sizeBytes: number): void {
    const entry = { loading, weight: Math.max(minWeight, sizeBytes) };
    kept.set(key, entry);
    total += entry.weight;
    // A load that failed is tried again by whoever comes next.
    loading.catch(() => drop(key, entry));
    for (const [oldest, old] of kept) {
      if (total <= maxBytes || oldest === key) break;
      drop(oldest, old);
    }
  }

  async function load(tenant: string, name: string): Promise<ReferenceIndex | null> {
    const found = await getRecord(deps, referenceKey(tenant, name));
    if (found === undefined) return null;
    const { digest, sizeBytes } = found.value;
    const key = `${tenant}#${digest}`;
    const known = kept.get(key);
    if (known === undefined) {
      const loading = indexOf(deps, tenant, found.value);
      keep(key, loading, sizeBytes);
      return { name, digest, features: await loading };
    }
    kept.delete(key);
    kept.set(key, known);
    return { name, digest, features: await known.loading };
  }

  return { load };
}

async function indexOf(
  deps: Pick<Deps, 'blobs'>,
  tenant: string,
  reference: ReferenceRecord,
): Promise<NearFeatures> {
  const bytes = await bytesOfReference(deps, tenant, reference);
  const parsed = parseGeoJson(JSON.parse(new TextDecoder().decode(bytes)) as Json);
  if ('features' in parsed) return new NearFeatures(parsed.features);
  throw new Error(`The reference ${reference.name} can no longer be read: put it again.`);
}
