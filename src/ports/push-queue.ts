/** The connections of a tenant are spread over shards: the work for one is done in order. */
export interface ShardRef {
  /** `[a-z0-9-]{1,63}`. */
  readonly tenant: string;
  /** 0 to 99. */
  readonly shard: number;
}

/** What is to be done for the connections of a shard. All that it names is found in records. */
export type PushTask = ShardRef & {
  /**
   * 1 to 100 of `[A-Za-z0-9/-]`. Of two tasks of a shard with the same id, sent within five minutes,
   * one may be dropped.
   */
  readonly id: string;
} & (
    | {
        /** A journal has something to tell. */
        readonly kind: 'grown';
        /** `main`, or the name of a log of the tenant: `[a-z0-9-]{1,40}`. */
        readonly log: string;
      }
    | {
        /** A subscription of a connection has to catch up with the others. */
        readonly kind: 'joined';
        /** As the gateway calls it: 1 to 128 printable ASCII characters. */
        readonly connection: string;
        /** `[A-Za-z0-9_-]{1,64}`. */
        readonly subscription: string;
      }
  );

/**
 * Hands tasks to who does them.
 *
 * Order: of one shard, the tasks of one call are handed out after those of the calls before it, and
 * none while one that was handed out before is under way. Those of different shards do not wait for
 * each other.
 * Durability: what `send` acknowledged survives `kill -9`, and is handed out at least once. What fails
 * time after time is put aside, and those behind it go on.
 */
export interface PushQueue {
  /** 1 to 100 tasks. Errors: `Unavailable`; some may have been sent then, and may be sent again. */
  send(tasks: readonly PushTask[]): Promise<void>;
}
