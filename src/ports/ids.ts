export interface Ids {
  /** A new id: unique everywhere, unguessable, `[0-9a-z-]{20,40}`, and sorting by time of making. */
  next(): string;
}
