import { ruleOperations } from '../../contract/operations/rule-operations.ts';
import type { Deps } from '../../core/deps.ts';
import { readRule, readRuleAt } from '../../core/policies/read-rule.ts';
import { readerOf } from '../reader-of.ts';
import { type Route, route } from '../route.ts';
import { ruleReply } from '../rule-reply.ts';

export function ruleRoutes(deps: Pick<Deps, 'records' | 'blobs' | 'clock'>): Route[] {
  return [
    route(ruleOperations.getPolicy, async ({ principal, params, query, headers }) => {
      const channel = query.channel ?? headers['x-channel'] ?? 'prod';
      const lane = { tenant: principal.tenant, id: params.id, channel };
      const nowMs = deps.clock.nowMs();
      const atMs = query.at === undefined ? nowMs : Date.parse(query.at);
      const knownMs = query.known === undefined ? nowMs : Date.parse(query.known);
      const found =
        query.at === undefined && query.known === undefined
          ? await readRule(deps, lane, readerOf(principal, headers))
          : await readRuleAt(deps, lane, atMs, knownMs);
      return ruleReply(deps, principal.tenant, found, headers['if-none-match']);
    }),
  ];
}
