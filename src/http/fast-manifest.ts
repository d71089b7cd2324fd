import { manifestLimit } from '../contract/operations/query-operations.ts';
import { permits } from '../core/identity/scopes.ts';
import { tagOf } from '../core/policies/list-policies.ts';
import { channelHeadKey } from '../core/policies/policy-keys.ts';
import { peekRecord } from '../core/records.ts';
import {
  channelOf,
  type FastRequest,
  type InMemory,
  isOver,
  partOf,
  plainToken,
} from './fast-rule.ts';
import type { ManifestReplies } from './manifest-replies.ts';
import type { Reply } from './reply.ts';

/** What clients poll, in its plainest form. Anything else about it is for the app. */
const plainTarget = /^\/api\/manifest(?:\?channel=([a-z]+))?$/;

/**
 * Answers `GET /api/manifest` before any router, from memory alone, and at once; null for
 * everything that is not there, refusals included: the app answers those.
 */
export function manifestAtHand(
  deps: InMemory & { readonly manifests?: ManifestReplies },
  request: FastRequest,
): Reply | null {
  const { manifests } = deps;
  const token = plainToken(request);
  const target = plainTarget.exec(request.target);
  if (manifests === undefined || token === null || target === null) return null;
  const channel = channelOf(target[1], request.channel);
  const reader = deps.verifier.peek(token);
  if (channel === null || reader === undefined) return null;
  if (!permits(reader.scopes, 'read:policy')) return null;
  const { tenant } = reader;
  const head = peekRecord(deps, channelHeadKey(tenant, channel));
  if (head === undefined) return null;
  const question = { tenant, channel, reader, cursor: undefined, limit: manifestLimit };
  const tag = tagOf(head.value, reader, deps.clock.nowMs());
  const reply = manifests.atHand(question, tag, request.ifNoneMatch);
  // Last: what the app answers instead, it counts itself.
  return reply === null || isOver(deps, reader, partOf(reply)) ? null : reply;
}
