/** The address of a secret: whose it is, and its name, `[a-z0-9-]{1,64}(/[a-z0-9-]{1,64})?`. */
export interface SecretRef {
  readonly tenant: string;
  readonly name: string;
}

/**
 * Secrets that we share with others, such as the key that a partner's webhook is signed with. Up to
 * 16 KiB of text each. Kept apart from records, journal and logs: readable by who runs the
 * service and by nobody else.
 *
 * Durability: what `put` acknowledged survives `kill -9`. The last put wins.
 * Errors: `Unavailable`; after it, a put or delete may or may not have happened, and may be repeated.
 */
export interface SecretStore {
  put(ref: SecretRef, secret: string): Promise<void>;
  get(ref: SecretRef): Promise<string | undefined>;
  /** What the last put replaced, which may be the same; of those before it, none is kept. */
  getPrevious(ref: SecretRef): Promise<string | undefined>;
  /** With the one before it. No error when there is none. */
  delete(ref: SecretRef): Promise<void>;
}
