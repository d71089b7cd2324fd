import type { PackageEntry } from '../packages/read-package.ts';
import type { AcceptedPackage } from './accept-package.ts';

/**
 * One exact package as stored: all but its bytes, which the blob store has under `digest`, and
 * the body of its rule, which has a record of its own.
 */
export interface SnapshotRecord {
  readonly snapshot: string;
  readonly version: string;
  readonly digest: string;
  /** As `RuleRef` has it. */
  readonly bodyDigest?: string;
  readonly sizeBytes: number;
  readonly effectiveAt: string | null;
  readonly tags: readonly string[];
  readonly entries: readonly PackageEntry[];
  readonly storedAt: string;
  readonly storedBy: string;
}

/** The record of a package stored just now, by `storedBy`. */
export function newSnapshot(
  accepted: AcceptedPackage,
  storedBy: string,
  nowMs: number,
): SnapshotRecord {
  const { rule, digest, bodyDigest, bytes, entries } = accepted;
  const storedAt = new Date(nowMs).toISOString();
  return {
    snapshot: snapshotIdOf(storedAt, digest),
    version: rule.version,
    digest,
    bodyDigest,
    sizeBytes: bytes.byteLength,
    effectiveAt: rule.effectiveAt,
    tags: rule.tags,
    entries,
    storedAt,
    storedBy,
  };
}

/** `v<UTC minute of the first store>-<first 8 hex digits of the digest>`. */
export function snapshotIdOf(storedAt: string, digest: string): string {
  const minute = storedAt.slice(0, 16).replace('T', '-').replace(':', '');
  return `v${minute}-${digest.slice(0, 8)}`;
}
