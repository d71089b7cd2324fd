import type { KeyOf } from '../records.ts';

/** That an event was published under an id. */
export interface KeptEvent {
  /** SHA-256 of who published what: the same id for something else is refused. */
  readonly digest: string;
}

/** `hash`: SHA-256 of the id, in hex. */
export function keptEventKey(tenant: string, hash: string): KeyOf<KeptEvent> {
  return { partition: `${tenant}#event-keys#${hash.slice(0, 2)}`, sort: hash };
}

export function eventSubject(id: string): string {
  return `event:${id}`;
}

/** The event that an entry is about, or null. */
export function eventOfSubject(subject: string): string | null {
  return subject.startsWith('event:') ? subject.slice('event:'.length) : null;
}
