import type { RefusalReason } from './policy-errors.ts';

/** Another rule of a policy is in force in this process. */
export interface PolicyChanged {
  readonly id: string;
  /**
   * What is in force now. Null when no rule is any more: the first one of a policy was tried on a few,
   * and taken back.
   */
  readonly snapshot: string | null;
  readonly version: string | null;
  /** The snapshot that was in force until now. */
  readonly previous: string | null;
  /**
   * `updated`: the service says so. `effective`: its time had come. `lapsed`: it was a candidate on
   * trial, and the service has not been heard of for too long. `withdrawn`: see `snapshot`.
   */
  readonly reason: 'updated' | 'effective' | 'lapsed' | 'withdrawn';
}

interface Said<Type extends string> {
  readonly type: Type;
  /** For people and logs: one sentence. */
  readonly message: string;
}

interface About {
  readonly id: string;
  readonly snapshot: string;
  readonly version: string;
}

/** What the client did, or what was done to it. */
export type ClientEvent =
  | (Said<'ready'> & { readonly source: 'service' | 'cache' })
  /** Rules were replaced, all at once. */
  | (Said<'updated'> & { readonly changes: readonly PolicyChanged[] })
  /** The service names a rule that must not be run; the one from before stays. */
  | (Said<'refused'> & About & { readonly reason: RefusalReason })
  /** The rule cannot be had; the one from before stays, and the client goes on trying. */
  | (Said<'missing'> & About & { readonly error: unknown })
  /** The manifest does not name a policy that it named before, or that was asked for. */
  | (Said<'absent'> & { readonly id: string })
  | (Said<'poll-failed'> & {
      readonly error: unknown;
      /** In a row. */
      readonly failures: number;
      readonly retryInMs: number;
    })
  /** The service has not confirmed the rules for a while; null: not to this process. */
  | (Said<'stale'> & { readonly checkedAt: Date | null })
  | Said<'recovered'>
  /** The client polls more often until `push-back`. */
  | (Said<'push-lost'> & { readonly error: unknown })
  | Said<'push-back'>
  /** The copy on the disk is broken, or not ours: as if there were none. */
  | (Said<'cache-ignored'> & { readonly error: unknown })
  /** The copy could not be written. */
  | (Said<'cache-failed'> & { readonly error: unknown })
  /** Receipts were not taken: `final` when no more are sent. */
  | (Said<'receipts-failed'> & { readonly error: unknown; readonly final: boolean })
  | (Said<'receipts-dropped'> & { readonly count: number })
  /** A listener threw. */
  | (Said<'listener-failed'> & { readonly error: unknown });

export type ChangeListener = (change: PolicyChanged) => unknown;
export type EventListener = (event: ClientEvent) => unknown;
