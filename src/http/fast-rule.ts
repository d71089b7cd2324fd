import type { Deps } from '../core/deps.ts';
import { Unavailable } from '../core/errors/app-error.ts';
import { permits } from '../core/identity/scopes.ts';
import { type Channel, isChannel } from '../core/policies/channel.ts';
import { readRule } from '../core/policies/read-rule.ts';
import type { Reply } from './reply.ts';
import { ruleReply } from './rule-reply.ts';

export interface FastRequest {
  readonly method: string;
  /** Path and query as sent, such as `/api/policies/x?channel=prod`. */
  readonly target: string;
  readonly authorization: string | undefined;
  readonly channel: string | undefined;
  readonly ifNoneMatch: string | undefined;
}

/** The hottest call in its plainest form. Anything else about it is for the app. */
const plainTarget =
  /^\/api\/policies\/([A-Za-z0-9](?:[A-Za-z0-9._-]{0,126}[A-Za-z0-9])?)(?:\?channel=([a-z]+))?$/;

const scheme = 'Bearer ';

/**
 * Answers `GET /api/policies/{id}` before any router: for a good token and a rule in force, with
 * one record read. Null for everything else, every failure included: the app answers those, so
 * that each problem is worded in one place.
 */
export async function fastRule(
  deps: Pick<Deps, 'records' | 'blobs' | 'clock' | 'verifier'>,
  request: FastRequest,
): Promise<Reply | null> {
  if (request.method !== 'GET') return null;
  const target = plainTarget.exec(request.target);
  const id = target?.[1];
  const channel = channelOf(target?.[2], request.channel);
  const { authorization } = request;
  if (id === undefined || channel === null || authorization?.startsWith(scheme) !== true) {
    return null;
  }
  try {
    // Not looked at any closer: of what is no token, the verifier says so.
    const { tenant, scopes } = await deps.verifier.verify(authorization.slice(scheme.length));
    if (!permits(scopes, 'read:policy')) return null;
    const found = await readRule(deps, { tenant, id, channel });
    return await ruleReply(deps, tenant, found, request.ifNoneMatch);
  } catch (error) {
    // A store that did not answer must not be asked a second time at once.
    if (error instanceof Unavailable) throw error;
    return null;
  }
}

function channelOf(query: string | undefined, header: string | undefined): Channel | null {
  const name = query ?? header ?? 'prod';
  // A bad header is refused even where the query counts.
  return isChannel(name) && (header === undefined || isChannel(header)) ? name : null;
}
