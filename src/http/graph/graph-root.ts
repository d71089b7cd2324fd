import DataLoader from 'dataloader';
import { GraphQLError } from 'graphql';
import type { Deps } from '../../core/deps.ts';
import { NotFound } from '../../core/errors/app-error.ts';
import { type Channel, isChannel } from '../../core/policies/channel.ts';
import { getRecord, getRecords } from '../../core/records.ts';
import { listChannel, type PolicyInChannel } from '../../core/policies/list-policies.ts';
import { policyIdPattern } from '../../core/policies/policy-id.ts';
import { channelKey } from '../../core/policies/policy-keys.ts';
import { readBody } from '../../core/policies/read-rule.ts';
import { resolveRule } from '../../core/policies/resolve-rule.ts';
import type { Json } from '../../core/values/json.ts';
import { manifestItemView } from '../policy-views.ts';

type GraphDeps = Pick<Deps, 'records' | 'blobs' | 'clock'>;
type RuleLoader = DataLoader<{ id: string; channel: Channel }, Json, string>;

const maxFirst = 200;

/** The root of one query, for one tenant. Rules asked for together are read together. */
export function graphRoot(deps: GraphDeps, tenant: string) {
  const rules = ruleLoader(deps, tenant);
  return {
    policies: async (args: { channel: string; first: number; after?: string | null }) => {
      const channel = channelOf(args.channel);
      if (args.first < 1 || args.first > maxFirst) {
        throw new GraphQLError(`first is 1 to ${maxFirst}; go on with after.`);
      }
      const after = args.after ?? undefined;
      const page = await listChannel(deps, tenant, channel, after, args.first);
      return page.items.map((policy) => policyNode(policy, channel, rules));
    },
    policy: async (args: { id: string; channel: string }) => {
      const channel = channelOf(args.channel);
      const policy = await policyIn(deps, tenant, args.id, channel);
      return policy === null ? null : policyNode(policy, channel, rules);
    },
  };
}

function channelOf(name: string): Channel {
  if (isChannel(name)) return name;
  throw new GraphQLError('Unknown channel.');
}

function policyNode(policy: PolicyInChannel, channel: Channel, rules: RuleLoader) {
  const { id } = policy;
  return { ...manifestItemView(policy), channel, rule: () => rules.load({ id, channel }) };
}

async function policyIn(
  deps: GraphDeps,
  tenant: string,
  id: string,
  channel: Channel,
): Promise<PolicyInChannel | null> {
  if (!policyIdPattern.test(id)) return null;
  const found = await getRecord(deps, channelKey(tenant, id, channel));
  if (found === undefined) return null;
  const record = found.value;
  const inForce = resolveRule(record, deps.clock.nowMs());
  const next = record.next === inForce ? null : record.next;
  return { id, gen: record.gen, inForce, next };
}

function ruleLoader(deps: GraphDeps, tenant: string): RuleLoader {
  return new DataLoader<{ id: string; channel: Channel }, Json, string>(
    async (wanted) => {
      const keys = wanted.map(({ id, channel }) => channelKey(tenant, id, channel));
      const found = await getRecords(deps, keys);
      const nowMs = deps.clock.nowMs();
      return Promise.all(
        found.map(async (record) => {
          const held = record?.value;
          const rule = held === undefined ? null : resolveRule(held, nowMs);
          if (rule === null) return new NotFound('No rule is in force.', 'not_in_force');
          return JSON.parse(await readBody(deps, tenant, rule.body)) as Json;
        }),
      );
    },
    { maxBatchSize: 100, cacheKeyFn: ({ id, channel }) => `${channel} ${id}` },
  );
}
