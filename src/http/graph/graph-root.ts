import DataLoader from 'dataloader';
import { GraphQLError } from 'graphql';
import type { Deps } from '../../core/deps.ts';
import { NotFound } from '../../core/errors/app-error.ts';
import { type Channel, isChannel } from '../../core/policies/channel.ts';
import type { Reader } from '../../core/policies/canary.ts';
import { getRecord, getRecords } from '../../core/records.ts';
import { inChannel, listChannel, type PolicyInChannel } from '../../core/policies/list-policies.ts';
import { policyIdPattern } from '../../core/policies/policy-id.ts';
import { channelKey, summaryKey } from '../../core/policies/policy-keys.ts';
import { readBody } from '../../core/policies/read-rule.ts';
import { resolveFor } from '../../core/policies/resolve-rule.ts';
import type { Json } from '../../core/values/json.ts';
import { manifestItemView } from '../policy-views.ts';

type GraphDeps = Pick<Deps, 'records' | 'blobs' | 'clock'>;
interface LoadedRule {
  readonly rule: Json;
  readonly sizeBytes: number;
}
type RuleLoader = DataLoader<{ id: string; channel: Channel }, LoadedRule, string>;

const maxFirst = 200;
/** Of all rules of one answer: it is built in memory, and a Lambda answers with 6 MB at most. */
const maxRulesBytes = 4 * 1024 * 1024;

/** The root of one query, for one tenant. Rules asked for together are read together. */
export function graphRoot(deps: GraphDeps, tenant: string, reader: Reader) {
  const rules = ruleLoader(deps, tenant, reader, bytesBudget());
  const answered = bytesBudget();
  const ruleOf = async (id: string, channel: Channel) => {
    const { rule, sizeBytes } = await rules.load({ id, channel });
    // An alias is no new rule, but it is a new part of the answer.
    answered(sizeBytes);
    return rule;
  };
  return {
    policies: async (args: { channel: string; first: number; after?: string | null }) => {
      const channel = channelOf(args.channel);
      if (args.first < 1 || args.first > maxFirst) {
        throw new GraphQLError(`first is 1 to ${maxFirst}; go on with after.`);
      }
      const after = args.after ?? undefined;
      if (after !== undefined && !policyIdPattern.test(after)) {
        throw new GraphQLError('after is the id of a policy.');
      }
      const page = await listChannel(deps, tenant, channel, reader, after, args.first);
      return page.items.map((policy) => policyNode(policy, channel, ruleOf));
    },
    policy: async (args: { id: string; channel: string }) => {
      const channel = channelOf(args.channel);
      const policy = await policyIn(deps, tenant, reader, args.id, channel);
      return policy === null ? null : policyNode(policy, channel, ruleOf);
    },
  };
}

function channelOf(name: string): Channel {
  if (isChannel(name)) return name;
  throw new GraphQLError('Unknown channel.');
}

function policyNode(
  policy: PolicyInChannel,
  channel: Channel,
  ruleOf: (id: string, channel: Channel) => Promise<Json>,
) {
  return { ...manifestItemView(policy), channel, rule: () => ruleOf(policy.id, channel) };
}

/** Takes bytes off what there may be, and throws when there are no more. */
function bytesBudget(): (sizeBytes: number) => void {
  let left = maxRulesBytes;
  return (sizeBytes) => {
    left -= sizeBytes;
    if (left >= 0) return;
    throw new GraphQLError('The rules are more than 4 MiB together: ask for fewer at a time.');
  };
}

async function policyIn(
  deps: GraphDeps,
  tenant: string,
  reader: Reader,
  id: string,
  channel: Channel,
): Promise<PolicyInChannel | null> {
  if (!policyIdPattern.test(id)) return null;
  const found = await getRecord(deps, summaryKey(tenant, id));
  return found === undefined ? null : inChannel(found.value, channel, reader, deps.clock.nowMs());
}

function ruleLoader(
  deps: GraphDeps,
  tenant: string,
  reader: Reader,
  take: (sizeBytes: number) => void,
): RuleLoader {
  return new DataLoader<{ id: string; channel: Channel }, LoadedRule, string>(
    async (wanted) => {
      const keys = wanted.map(({ id, channel }) => channelKey(tenant, id, channel));
      const found = await getRecords(deps, keys);
      const nowMs = deps.clock.nowMs();
      return Promise.all(
        found.map(async (record) => {
          const held = record?.value;
          const rule = held === undefined ? null : resolveFor(held, reader, nowMs).rule;
          if (rule === null) return new NotFound('No rule is in force.', 'not_in_force');
          const { body } = rule;
          const sizeBytes = 'json' in body ? Buffer.byteLength(body.json) : body.sizeBytes;
          take(sizeBytes);
          const json = await readBody(deps, tenant, body);
          return { rule: JSON.parse(json) as Json, sizeBytes };
        }),
      );
    },
    { maxBatchSize: 100, cacheKeyFn: ({ id, channel }) => `${channel} ${id}` },
  );
}
