/** A document beside a policy: an outcome of a ticket, an opinion, a map. */
export interface Attachment {
  readonly name: string;
  /** SHA-256 of the bytes, 64 hex digits. */
  readonly digest: string;
  readonly contentType: string;
  readonly sizeBytes: number;
  readonly at: string;
  readonly actor: string;
  /** The journal entry that added it. */
  readonly index: number;
}
