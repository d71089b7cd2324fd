import { namedRuleOperations } from '../../contract/operations/named-rule-operations.ts';
import type { Deps } from '../../core/deps.ts';
import { NotFound } from '../../core/errors/app-error.ts';
import { readRule, type RuleInForce } from '../../core/policies/read-rule.ts';
import type { Json } from '../../core/values/json.ts';
import { readerOf } from '../reader-of.ts';
import { type Route, route } from '../route.ts';
import { ruleReply } from '../rule-reply.ts';

/** A single rule by name: the `value` of the policy that is called so. */
export function namedRuleRoutes(deps: Pick<Deps, 'records' | 'blobs' | 'clock'>): Route[] {
  return [
    route(namedRuleOperations.getNamedRule, async ({ principal, params, query, headers }) => {
      const { tenant } = principal;
      const channel = query.channel ?? headers['x-channel'] ?? 'prod';
      const lane = { tenant, id: params.rule, channel };
      const found = await readRule(deps, lane, readerOf(principal, headers));
      const reply = await ruleReply(deps, tenant, found, headers['if-none-match']);
      if (typeof reply.body !== 'string') return reply;
      return { ...reply, body: valueBody(params.rule, found, reply.body) };
    }),
  ];
}

function valueBody(name: string, { rule }: RuleInForce, json: string): string {
  const { value } = JSON.parse(json) as { readonly value?: Json };
  if (value === undefined) {
    throw new NotFound(
      `The policy "${name}" has no field "value"; read all of it at /api/policies/${name}.`,
    );
  }
  const { version, snapshot } = rule;
  return JSON.stringify({ name, value, policy: name, version, snapshot });
}
