import type { Deps } from '../core/deps.ts';
import { readBody, type RuleInForce } from '../core/policies/read-rule.ts';
import { ifNoneMatchNames } from './etag.ts';
import type { Reply } from './reply.ts';
import { reprDigest } from './repr-digest.ts';

const common = {
  // A shared cache must not hand one tenant's rule, or one channel's, to another.
  'cache-control': 'private, no-cache',
  vary: 'Authorization, X-Channel, X-Subject, X-Region',
  // The app adds it to every reply; here it is for those that leave before the app.
  'x-content-type-options': 'nosniff',
};

/** The answer to a conditional GET of a rule: `304` without a body when the caller has it. */
export async function ruleReply(
  deps: Pick<Deps, 'blobs'>,
  tenant: string,
  found: RuleInForce,
  ifNoneMatch: string | undefined,
): Promise<Reply> {
  return (
    ruleReplyAtHand(found, ifNoneMatch) ??
    wholeReply(found, await readBody(deps, tenant, found.rule.body))
  );
}

/** The same, from the record alone; null when the body is asked for and lies elsewhere. */
export function ruleReplyAtHand(found: RuleInForce, ifNoneMatch: string | undefined): Reply | null {
  const { snapshot, body } = found.rule;
  if (ifNoneMatch !== undefined && ifNoneMatchNames(ifNoneMatch, snapshot)) {
    return { status: 304, headers: headersOf(found), body: null };
  }
  return 'json' in body ? wholeReply(found, body.json) : null;
}

function wholeReply(found: RuleInForce, body: string): Reply {
  const headers = headersOf(found);
  headers['content-type'] = 'application/json';
  const { version, bodyDigest } = found.rule;
  headers['x-policy-version'] = version;
  if (bodyDigest !== undefined) headers['repr-digest'] = reprDigest(bodyDigest);
  return { status: 200, headers, body };
}

function headersOf({ rule, next, canaryRun, shadow }: RuleInForce): Record<string, string> {
  const headers: Record<string, string> = { etag: `"${rule.snapshot}"`, ...common };
  if (canaryRun !== null) headers['x-canary-run'] = String(canaryRun);
  if (shadow !== null) headers['x-shadow-snapshot'] = shadow.snapshot;
  if (next === null) return headers;
  headers['x-next-snapshot'] = next.snapshot;
  headers['x-next-effective'] = new Date(next.effectiveAtMs).toISOString();
  return headers;
}
