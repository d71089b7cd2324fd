import { permits } from '../core/identity/scopes.ts';
import { bodyKey, snapshotKey } from '../core/policies/policy-keys.ts';
import { peekRecord } from '../core/records.ts';
import { type FastRequest, type InMemory, isOver, partOf, plainToken } from './fast-rule.ts';
import type { Reply } from './reply.ts';
import { snapshotReplyAtHand } from './snapshot-reply.ts';

/** What clients fetch once a manifest names it, by its full id. Anything else about it is for the app. */
const plainTarget =
  /^\/api\/policies\/([A-Za-z0-9](?:[A-Za-z0-9._-]{0,126}[A-Za-z0-9])?)\/snapshots\/(v[\d-]{15}-[0-9a-f]{8})$/;
const jsonRanges: ReadonlySet<string | undefined> = new Set([undefined, '*/*', 'application/json']);

/**
 * Answers `GET /api/policies/{id}/snapshots/{snapshot}` as JSON before any router, from memory alone,
 * and at once; null for everything that is not there, refusals included: the app answers those.
 */
export function snapshotAtHand(deps: InMemory, request: FastRequest): Reply | null {
  const token = plainToken(request);
  const [, id, snapshot] = plainTarget.exec(request.target) ?? [];
  if (token === null || id === undefined || snapshot === undefined) return null;
  if (!jsonRanges.has(request.accept)) return null;
  const principal = deps.verifier.peek(token);
  if (principal === undefined || !permits(principal.scopes, 'read:policy')) return null;
  const record = peekRecord(deps, snapshotKey(principal.tenant, id, snapshot));
  const body = peekRecord(deps, bodyKey(principal.tenant, id, snapshot));
  if (record === undefined || body === undefined) return null;
  const reply = snapshotReplyAtHand(record.value, body.value, request.ifNoneMatch);
  // Last: what the app answers instead, it counts itself.
  return reply === null || isOver(deps, principal, partOf(reply)) ? null : reply;
}
