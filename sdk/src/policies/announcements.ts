import type { ManifestItem } from '../wire/manifest.ts';
import type { ClientEvent, PolicyChanged } from './client-events.ts';
import { Listeners } from './listeners.ts';
import { RuleRefused } from './policy-errors.ts';
import type { RuleFailure } from './rule-bodies.ts';

/** Says what the client does, to those who listen, in words as well. */
export class Announcements {
  readonly events: Listeners<ClientEvent>;
  readonly changes: Listeners<PolicyChanged>;

  constructor() {
    const blame = (error: unknown) =>
      this.#say({ type: 'listener-failed', message: `A listener threw: ${textOf(error)}`, error });
    this.changes = new Listeners(blame);
    this.events = new Listeners((error, { type }) => {
      if (type !== 'listener-failed') blame(error);
    });
  }

  ready(source: 'service' | 'cache', policies: number): void {
    const from = source === 'cache' ? 'the copy of an earlier process' : 'the service';
    const what = policies === 1 ? '1 policy is' : `${policies} policies are`;
    this.#say({ type: 'ready', message: `${what} here, from ${from}.`, source });
  }

  updated(changes: readonly PolicyChanged[]): void {
    const names = changes.slice(0, 5).map(({ id, version }) => `${id} ${version ?? 'withdrawn'}`);
    const more = changes.length > names.length ? ` and ${changes.length - names.length} more` : '';
    this.#say({ type: 'updated', message: `Now in force: ${names.join(', ')}${more}.`, changes });
    for (const change of changes) this.changes.tell(change);
  }

  failed({ named, error }: RuleFailure): void {
    const { id, snapshot, version } = named;
    const about = { id, snapshot, version };
    const what = `${id} ${version} (${snapshot})`;
    if (error instanceof RuleRefused) {
      const message = `${what} is refused: ${error.message}. What was in force stays.`;
      this.#say({ type: 'refused', message, ...about, reason: error.reason });
    } else {
      const message = `${what} cannot be had: ${textOf(error)} What was in force stays.`;
      this.#say({ type: 'missing', message, ...about, error });
    }
  }

  lowered({ id, snapshot, version, gen }: ManifestItem, knownGen: number): void {
    this.#say({
      type: 'refused',
      message: `The service says generation ${gen} of ${id}, after ${knownGen}. What was in force stays.`,
      id,
      snapshot: snapshot ?? '',
      version: version ?? '',
      reason: 'lower-gen',
    });
  }

  absent(id: string, channel: string, isKnown: boolean): void {
    const rest = isKnown ? ' any more. What was in force stays' : '';
    this.#say({ type: 'absent', message: `The service names no ${id} in ${channel}${rest}.`, id });
  }

  pollFailed(error: unknown, failures: number, retryInMs: number): void {
    const again = `The next try is in ${(retryInMs / 1000).toFixed(1)} s.`;
    const message = `Poll ${failures} in a row failed: ${textOf(error)} ${again}`;
    this.#say({ type: 'poll-failed', message, error, failures, retryInMs });
  }

  stale(checkedAt: Date | null): void {
    const since = checkedAt === null ? '' : `, last at ${checkedAt.toISOString()}`;
    const message = `The rules are stale: the service does not confirm them${since}.`;
    this.#say({ type: 'stale', message, checkedAt });
  }

  recovered(): void {
    this.#say({ type: 'recovered', message: 'The service confirms the rules again.' });
  }

  pushLost(error: unknown): void {
    const why = error === undefined ? 'it ends again and again.' : textOf(error);
    this.#say({ type: 'push-lost', message: `Nothing is pushed: ${why} Polling goes on.`, error });
  }

  pushBack(): void {
    this.#say({ type: 'push-back', message: 'Changes are pushed again.' });
  }

  cacheIgnored(error: unknown): void {
    const message = `The copy on this machine is not used: ${textOf(error)}`;
    this.#say({ type: 'cache-ignored', message, error });
  }

  cacheFailed(error: unknown): void {
    const message = `No copy is kept on this machine: ${textOf(error)}`;
    this.#say({ type: 'cache-failed', message, error });
  }

  receiptsFailed(error: unknown, final: boolean): void {
    const rest = final ? 'No more are sent.' : 'They are sent again.';
    const message = `Receipts were not taken: ${textOf(error)} ${rest}`;
    this.#say({ type: 'receipts-failed', message, error, final });
  }

  receiptsDropped(count: number): void {
    const message = `${count} receipts were dropped: too many wait.`;
    this.#say({ type: 'receipts-dropped', message, count });
  }

  #say(event: ClientEvent): void {
    this.events.tell(event);
  }
}

/** A sentence. */
export function textOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return /[.!?]$/.test(text) ? text : `${text}.`;
}
