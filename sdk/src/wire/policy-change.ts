/** A message of `GET /api/stream/policies`, and of the WebSocket. */
export interface PolicyChange {
  readonly tenant: string;
  readonly id: string;
  readonly channel: 'dev' | 'test' | 'prod';
  readonly snapshot: string;
  readonly version: string;
  /** Of two changes of one policy and channel, the higher is the later. */
  readonly gen: number;
  readonly action:
    | 'policy.published'
    | 'policy.promoted'
    | 'policy.rolledback'
    | 'policy.activated'
    | 'policy.canary'
    | 'policy.released'
    | 'policy.restored';
  readonly reason: string;
  readonly before: string | null;
  readonly effectiveAt: string | null;
  readonly actor: string;
  /** The journal entry. */
  readonly index: number;
  readonly at: string;
}
