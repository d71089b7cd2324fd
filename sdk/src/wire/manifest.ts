/** A rule that is already distributed, and in force from `effectiveAt` on. */
export interface WaitingRule {
  readonly snapshot: string;
  readonly version: string;
  /** `sha256:<hex>` of the exact JSON bytes of the rule; null for what was stored before it was kept. */
  readonly bodyDigest: string | null;
  readonly effectiveAt: string;
}

/** A rule that is tried on a few, of whom the caller is one. */
export interface ServedCanary {
  readonly run: number;
  /** Who has not been able to ask for so long goes back to `stable` by itself. */
  readonly holdsSeconds: number;
  /** What everyone else has; null before the first rule. */
  readonly stable: Omit<WaitingRule, 'effectiveAt'> | null;
}

/** A policy of a channel, as the caller gets it. */
export interface ManifestItem {
  readonly id: string;
  /** The snapshot, quoted. */
  readonly etag: string | null;
  /** What is in force; null while the first rule waits. */
  readonly snapshot: string | null;
  readonly version: string | null;
  readonly bodyDigest: string | null;
  /** Raised by one with every change of the policy in the channel. */
  readonly gen: number;
  readonly next: WaitingRule | null;
  /** Set when the snapshot is a candidate on trial. */
  readonly canary: ServedCanary | null;
}

/** What `GET /api/manifest` answers. */
export interface Manifest {
  readonly channel: 'dev' | 'test' | 'prod';
  readonly items: readonly ManifestItem[];
  /** The cursor of the page after this one; null at the end. */
  readonly next: string | null;
}
