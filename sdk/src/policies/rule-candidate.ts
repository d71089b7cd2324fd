/** A rule that the manifest names, before it is run. */
export interface RuleCandidate {
  readonly id: string;
  readonly snapshot: string;
  readonly version: string;
  readonly gen: number;
  /** The rule, as exactly the bytes that the service sent; their digest has been checked. */
  readonly bytes: Uint8Array;
  /** `sha256:<hex>` of the bytes, as the manifest names it; null when it names none. */
  readonly bodyDigest: string | null;
  /** Aborts when the client closes, or has waited for long enough. */
  readonly signal: AbortSignal;
  /** The exact package: its bytes match its `Repr-Digest`, and that the name of the snapshot. */
  readonly fetchPackage: () => Promise<Uint8Array>;
}

/** Throws to refuse the rule: the last good one then stays in force. */
export type VerifyRule = (candidate: RuleCandidate) => void | Promise<void>;
