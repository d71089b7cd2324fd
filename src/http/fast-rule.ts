import type { Deps } from '../core/deps.ts';
import { Unavailable } from '../core/errors/app-error.ts';
import type { CachedVerifier } from '../core/identity/cached-verifier.ts';
import type { Principal } from '../core/identity/principal.ts';
import { permits } from '../core/identity/scopes.ts';
import { type Channel, isChannel } from '../core/policies/channel.ts';
import { channelKey } from '../core/policies/policy-keys.ts';
import { readRule, ruleInForce } from '../core/policies/read-rule.ts';
import { peekRecord } from '../core/records.ts';
import type { RateLimiter } from '../ports/rate-limiter.ts';
import type { Reply } from './reply.ts';
import { ruleReply, ruleReplyAtHand } from './rule-reply.ts';

export interface FastRequest {
  readonly method: string;
  /** Path and query as sent, such as `/api/policies/x?channel=prod`. */
  readonly target: string;
  readonly authorization: string | undefined;
  readonly channel: string | undefined;
  readonly ifNoneMatch: string | undefined;
  /** Only where more than one form can be had. */
  readonly accept?: string | undefined;
  /** Whether the caller names somebody else for whom it asks. */
  readonly forOthers: boolean;
}

/** What answers at once or not at all. */
export type InMemory = Parameters<typeof peekRecord>[0] &
  Pick<Deps, 'clock'> &
  Limited & { readonly verifier: Pick<CachedVerifier, 'peek'> };

interface Limited {
  /** Without it, callers may call as often as they like. */
  readonly limiter?: RateLimiter;
}

interface Question {
  readonly id: string;
  readonly channel: Channel;
  readonly token: string;
}

/** The hottest call in its plainest form. Anything else about it is for the app. */
const plainTarget =
  /^\/api\/policies\/([A-Za-z0-9](?:[A-Za-z0-9._-]{0,126}[A-Za-z0-9])?)(?:\?channel=([a-z]+))?$/;

const scheme = 'Bearer ';
const lightPart = 0.25;
const maxLightBytes = 64 * 1024;

/**
 * Answers `GET /api/policies/{id}` before any router: for a good token and a rule in force, with
 * one record read. Null for everything else, refusals included: the app answers those, so that
 * each is worded in one place. Errors: `Unavailable`.
 */
export async function fastRule(
  deps: Pick<Deps, 'records' | 'blobs' | 'clock' | 'verifier'> & Limited,
  request: FastRequest,
): Promise<Reply | null> {
  const asked = plainQuestion(request);
  if (asked === null) return null;
  try {
    const principal = await deps.verifier.verify(asked.token);
    const { tenant, scopes } = principal;
    if (!permits(scopes, 'read:policy') || isOver(deps, principal, 1)) return null;
    const lane = { tenant, id: asked.id, channel: asked.channel };
    const found = await readRule(deps, lane, principal);
    return await ruleReply(deps, tenant, found, request.ifNoneMatch);
  } catch (error) {
    // A store that did not answer must not be asked a second time at once.
    if (error instanceof Unavailable) throw error;
    return null;
  }
}

/** The same from memory alone, and at once: null also for what is not there. */
export function ruleAtHand(deps: InMemory, request: FastRequest): Reply | null {
  const asked = plainQuestion(request);
  if (asked === null) return null;
  const principal = deps.verifier.peek(asked.token);
  if (principal === undefined || !permits(principal.scopes, 'read:policy')) return null;
  const record = peekRecord(deps, channelKey(principal.tenant, asked.id, asked.channel));
  const found =
    record === undefined ? null : ruleInForce(record.value, principal, deps.clock.nowMs());
  const reply = found === null ? null : ruleReplyAtHand(found, request.ifNoneMatch);
  // Last: what the app answers instead, it counts itself.
  return reply === null || isOver(deps, principal, partOf(reply)) ? null : reply;
}

/** Counts the call, or a part of one, and says whether there were too many before it. */
export function isOver({ limiter }: Limited, { tenant, actor }: Principal, part: number): boolean {
  return limiter !== undefined && limiter.take(tenant, actor, part) !== null;
}

/**
 * What an answer from memory counts as. A change wakes every client of a channel, and all of them ask
 * at the same moment for what costs the server next to nothing: that must not use up their limit.
 */
export function partOf({ body }: Reply): number {
  const size =
    typeof body === 'string' ? body.length : body instanceof Uint8Array ? body.length : 0;
  return size > maxLightBytes ? 1 : lightPart;
}

function plainQuestion(request: FastRequest): Question | null {
  const token = plainToken(request);
  if (token === null) return null;
  const target = plainTarget.exec(request.target);
  const id = target?.[1];
  const channel = channelOf(target?.[2], request.channel);
  return id === undefined || channel === null ? null : { id, channel, token };
}

/** The token of a `GET` that is asked for oneself; null for any other call. */
export function plainToken({ method, authorization, forOthers }: FastRequest): string | null {
  if (method !== 'GET' || authorization?.startsWith(scheme) !== true || forOthers) return null;
  // Not looked at any closer: of what is no token, the verifier says so.
  return authorization.slice(scheme.length);
}

/** The channel that a query or else a header names; null for what the app refuses. */
export function channelOf(query: string | undefined, header: string | undefined): Channel | null {
  const name = query ?? header ?? 'prod';
  // A bad header is refused even where the query counts.
  return isChannel(name) && (header === undefined || isChannel(header)) ? name : null;
}
