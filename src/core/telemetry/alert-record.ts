export type AlertSeverity = 'info' | 'warning' | 'critical';

/** What services raise while they run a rule, all that have the same fingerprint. */
export interface AlertRecord {
  /** Its first 256 characters: the key is made of all of it. */
  readonly fingerprint: string;
  /** Of the last one. */
  readonly severity: AlertSeverity;
  readonly message: string;
  /** The arm that counts it among its 500. */
  readonly countedFor: Arm;
  readonly counts: AlertCounts | null;
  /** Unix ms; when a service last raised it under the rule of everyone. */
  readonly stableLastAtMs: number | null;
  readonly lastAtMs: number;
  readonly commitId: string;
}

export type Arm = 'canary' | 'stable';

/** How often it came during a run; of the last one only. */
export interface AlertCounts {
  readonly run: number;
  readonly canary: number;
  readonly stable: number;
}

/**
 * Distinct fingerprints of a lane by the arm that showed them first, at most 500 of each: a flood
 * from one arm must not hide the other's. Those beyond are counted and not kept.
 */
export interface AlertTally {
  readonly canary: number;
  readonly stable: number;
  /** Unix ms; when the records were last counted anew, since they expire by themselves. */
  readonly recountedAtMs: number;
  readonly beyond: AlertCounts | null;
  readonly commitId: string;
}

export const maxFingerprintsPerArm = 500;

/** One more of them. */
export function countAlert(
  counts: AlertCounts | null,
  run: number | null,
  arm: Arm,
): AlertCounts | null {
  if (run === null) return counts;
  const { canary, stable } = counts?.run === run ? counts : { canary: 0, stable: 0 };
  return {
    run,
    canary: canary + (arm === 'canary' ? 1 : 0),
    stable: stable + (arm === 'stable' ? 1 : 0),
  };
}
