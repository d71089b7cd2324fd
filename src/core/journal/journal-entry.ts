import type { Json } from '../values/json.ts';

/** Who does something, for whom, in which request. */
export interface Origin {
  readonly tenant: string;
  readonly actor: string;
  readonly requestId: string;
  /** Where the request stands in a trace; what is done later for it goes on there. */
  readonly traceparent?: string;
}

/** One change of a tenant's state. Written once, in the transaction of the change itself. */
export interface JournalEntry {
  /** 0, 1, 2 … per journal, without a gap. */
  readonly index: number;
  /** RFC 3339 in UTC, to the millisecond; never earlier than the entry before. */
  readonly at: string;
  readonly actor: string;
  /** `<subject kind>.<past tense>`, such as `policy.published`. */
  readonly action: string;
  readonly subject: string;
  /** The state that this entry replaced, with its digest; null when there was none. */
  readonly before: Json;
  readonly after: Json;
  readonly requestId: string;
  readonly reason: string | null;
  /** Tells a commit whose answer was lost from somebody else's. */
  readonly commitId: string;
}

/** Where the next entry goes. */
export interface JournalHead {
  readonly nextIndex: number;
  readonly at: string;
  /** What changes have counted up and down, exact; a count of 0 is left out. */
  readonly tally?: Readonly<Record<string, number>>;
}

/** How far the journal has been relayed: every entry before `nextIndex`. */
export interface RelayCursor {
  readonly nextIndex: number;
}
