import type { Deps } from '../core/deps.ts';
import { readBody, type RuleInForce } from '../core/policies/read-rule.ts';
import { ifNoneMatchNames } from './etag.ts';
import type { Reply } from './reply.ts';

/** A shared cache must not hand one tenant's rule, or one channel's, to another. */
const caching = { 'cache-control': 'private, no-cache', vary: 'Authorization, X-Channel' };

/** The answer to a conditional GET of a rule: `304` without a body when the caller has it. */
export async function ruleReply(
  deps: Pick<Deps, 'blobs'>,
  tenant: string,
  { rule, next }: RuleInForce,
  ifNoneMatch: string | undefined,
): Promise<Reply> {
  const headers: Record<string, string> = { etag: `"${rule.snapshot}"`, ...caching };
  if (next !== null) {
    headers['x-next-snapshot'] = next.snapshot;
    headers['x-next-effective'] = new Date(next.effectiveAtMs).toISOString();
  }
  if (ifNoneMatch !== undefined && ifNoneMatchNames(ifNoneMatch, rule.snapshot)) {
    return { status: 304, headers, body: null };
  }
  headers['content-type'] = 'application/json';
  headers['x-policy-version'] = rule.version;
  return { status: 200, headers, body: await readBody(deps, tenant, rule.body) };
}
