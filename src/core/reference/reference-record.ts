/** A named document of reference data: all but its bytes, which the blob store has. */
export interface ReferenceRecord {
  readonly name: string;
  /** SHA-256 of the bytes as they were put, 64 hex digits. */
  readonly digest: string;
  readonly sizeBytes: number;
  readonly features: number;
  readonly changedAt: string;
  readonly changedBy: string;
}

export const referenceNamePattern = /^[a-z0-9][a-z0-9-]{0,63}$/;

export const referenceLimits = {
  maxBytes: 4 * 1024 * 1024,
  /** Objects and lists within each other: a MultiPolygon has 8. */
  maxDepth: 32,
  /** Documents of a tenant. */
  maxReferences: 100,
} as const;
