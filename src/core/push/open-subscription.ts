import type { Deps } from '../deps.ts';
import { AppError, Forbidden, InvalidRequest, PreconditionFailed } from '../errors/app-error.ts';
import type { Principal } from '../identity/principal.ts';
import { permits } from '../identity/scopes.ts';
import { journalLengths, parsePositions, type Positions } from './positions.ts';
import { pushLimits, type PushTopic, type Subscribe } from './push-frames.ts';
import {
  openTopic,
  type OpenTopic,
  scopeOfTopic,
  termsOf,
  type TopicTerms,
} from './topic-terms.ts';

/** A subscription that may begin. */
export interface OpenSubscription {
  readonly name: string;
  readonly opened: OpenTopic;
  readonly terms: TopicTerms;
  /** Where it begins, in each of its journals. */
  readonly positions: Positions;
  /** How many entries each journal had then. */
  readonly lengths: readonly number[];
}

/**
 * Looks at what a listener asks for, and says where it begins. Changes nothing. Errors: `Forbidden`,
 * `NotFound`, `InvalidRequest` for a position that is none, `PreconditionFailed` for one that is too
 * far back.
 */
export async function openSubscription(
  deps: Pick<Deps, 'records' | 'jobJournals'>,
  { tenant, scopes }: Pick<Principal, 'tenant' | 'scopes'>,
  { type: _, subscription: name, after, ...topic }: Subscribe,
): Promise<OpenSubscription> {
  const scope = scopeOfTopic(topic);
  if (!permits(scopes, scope)) {
    throw new Forbidden(`The topic ${topic.topic} needs the scope hms/${scope}.`);
  }
  const opened = await openTopic(deps, tenant, topic);
  const terms = termsOf(tenant, opened, deps.jobJournals);
  const seen = after === undefined ? undefined : positionsIn(after, terms.journals.length);
  const lengths = await journalLengths(deps, terms.journals);
  const positions = lengths.map((length, at) => {
    const from = Math.max(seen?.[at] ?? opened.start ?? length - 1, opened.start ?? -1);
    return Math.min(from, length - 1);
  });
  const behind = lengths.reduce((sum, length, at) => sum + length - 1 - (positions[at] ?? 0), 0);
  if (behind > pushLimits.maxBehind) throw tooFarBack(topic);
  return { name, opened, terms, positions, lengths };
}

function positionsIn(after: string, journals: number): Positions {
  const positions = parsePositions(after, journals);
  if (positions !== null) return positions;
  const detail = `name ${journals} of them with dots between, as the id of a message does, or -1`;
  throw new InvalidRequest('The position is not one of this topic.', [
    { pointer: '/after', detail },
  ]);
}

function tooFarBack({ topic }: PushTopic): PreconditionFailed {
  const instead: Readonly<Record<PushTopic['topic'], string>> = {
    policies: 'GET /api/manifest tells what is in force',
    run: 'GET /api/runs/{run} tells how it is',
    job: 'GET /jobs/{job} tells how it is',
    jobs: 'GET /jobs lists them',
    events: 'GET /api/stream/events tells all of them',
  };
  return new PreconditionFailed(
    `The position is more than ${pushLimits.maxBehind} entries back. ${instead[topic]}; then ` +
      'subscribe without after, or with a later one.',
  );
}

/** For who has as many as a connection may have. */
export function tooManySubscriptions(): AppError {
  const message = `A connection has at most ${pushLimits.maxSubscriptions} subscriptions.`;
  return new AppError('too_many_requests', message);
}
