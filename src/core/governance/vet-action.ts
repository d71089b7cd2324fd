import type { Deps } from '../deps.ts';
import { celTimeOf } from '../expressions/cel-time.ts';
import { celValueOf } from '../expressions/cel-value.ts';
import { pointerTo } from '../packages/yaml-findings.ts';
import type { Reader } from '../policies/canary.ts';
import type { ChannelRecord, PlacedRule } from '../policies/channel-record.ts';
import { isPolicyId } from '../policies/policy-id.ts';
import { channelKey } from '../policies/policy-keys.ts';
import { readBody, ruleInForce } from '../policies/read-rule.ts';
import { getRecords, type KeyOf } from '../records.ts';
import type { Json } from '../values/json.ts';
import {
  type ActionVariables,
  type AskedPolicy,
  decideAction,
  type Denial,
} from './decide-action.ts';
import type { GovernanceCache } from './governance-cache.ts';
import { governanceLimits } from './governance-limits.ts';
import { actionPrefix, type Effect, generalPolicy } from './governance-rule.ts';
import type { GovernanceProblem } from './parse-governance.ts';

/** Who wants something done. */
export interface Actor {
  /** The client or user that acts: what the journal names. */
  readonly id: string;
  /** On whose behalf; a canary of a governance policy sorts by it. */
  readonly subject: string;
  readonly region?: string | undefined;
}

export interface ActionToVet {
  readonly tenant: string;
  readonly actor: Actor;
  /** What is to be done: `pothole.report`. */
  readonly action: string;
  /** What it is to be done with. */
  readonly payload: Json;
  /** What becomes of it when no governance policy is in force. */
  readonly defaultVerdict: Effect;
}

/** A snapshot whose rules were asked. */
export interface VettedBy {
  readonly policy: string;
  readonly snapshot: string;
  readonly version: string;
}

export type Vetted = {
  /** Which rules were asked; none: nothing is in force, and `defaultVerdict` decided. */
  readonly by: readonly VettedBy[];
} & (
  | { readonly verdict: 'allowed' }
  | {
      readonly verdict: 'denied';
      /** `<policy>/<rule>`; the policy alone when no one rule is why; `default` for `defaultVerdict`. */
      readonly rule: string;
      /** One line for the caller, of at most 500 characters. */
      readonly reason: string;
    }
);

type VetDeps = Pick<Deps, 'records' | 'blobs' | 'clock'> & { readonly governance: GovernanceCache };

interface InForce {
  readonly policy: string;
  readonly rule: PlacedRule;
}

/**
 * Whether the governance rules in force let an action be done: those of the policies `governance`
 * and `governance.<action>` in the channel `prod`, each as it is in force now for the actor. Both
 * must allow it, see `decideAction`. A policy that is in force and holds no sound rules denies.
 *
 * Costs one `getMany`; a body over 100 KB, once per snapshot, a blob read. Time is bounded, see
 * `governanceLimits`. Errors: `Unavailable`; no rule makes it throw.
 */
export async function vetAction(deps: VetDeps, asked: ActionToVet): Promise<Vetted> {
  const { tenant, action, defaultVerdict } = asked;
  const nowMs = deps.clock.nowMs();
  const inForce = await readInForce(deps, asked, nowMs);
  const by = inForce.map(({ policy, rule: { snapshot, version } }) => ({
    policy,
    snapshot,
    version,
  }));
  if (inForce.length === 0) {
    if (defaultVerdict === 'allow') return { verdict: 'allowed', by };
    const reason = `No governance rules are in force for ${action}, and without them nothing is done here; publish the policy ${generalPolicy} or ${actionPrefix}${action}.`;
    return denied({ rule: 'default', reason }, by);
  }
  const policies: AskedPolicy[] = [];
  for (const { policy, rule } of inForce) {
    const read = () => readBody(deps, tenant, rule.body);
    const parsed = await deps.governance.parsed(rule.digest, read);
    if ('problems' in parsed) return denied(unsound(policy, rule, parsed.problems), by);
    policies.push({ policy, document: parsed.document });
  }
  const denial = decideAction(policies, variablesOf(asked, nowMs));
  return denial === null ? { verdict: 'allowed', by } : denied(denial, by);
}

async function readInForce(
  deps: VetDeps,
  { tenant, actor, action }: ActionToVet,
  nowMs: number,
): Promise<InForce[]> {
  // What is no id, nobody can have published.
  const ids = [generalPolicy, `${actionPrefix}${action}`].filter(isPolicyId);
  const keys: KeyOf<ChannelRecord>[] = ids.map((id) => channelKey(tenant, id, 'prod'));
  const found = await getRecords(deps, keys);
  const reader: Reader = { subject: actor.subject, region: actor.region };
  return ids.flatMap((policy, place): InForce[] => {
    const record = found[place]?.value;
    const resolved = record === undefined ? null : ruleInForce(record, reader, nowMs);
    return resolved === null ? [] : [{ policy, rule: resolved.rule }];
  });
}

function variablesOf(
  { tenant, actor, action, payload }: ActionToVet,
  nowMs: number,
): ActionVariables {
  const { id, subject, region = '' } = actor;
  return {
    actor: celValueOf({ id, subject, tenant, region }),
    action,
    payload: celValueOf(payload),
    now: celTimeOf(nowMs),
  };
}

function unsound(
  policy: string,
  { version, snapshot }: PlacedRule,
  problems: readonly GovernanceProblem[],
): Denial {
  const [first] = problems;
  const what = `${pointerTo(first?.at)} ${first?.detail ?? ''}`.trim();
  const more = problems.length > 1 ? ` (and ${problems.length - 1} more)` : '';
  const reason = `The policy ${policy} ${version} (${snapshot}) holds no sound governance rules, so it denies: ${what}${more}. Correct it, or roll it back.`;
  return { rule: policy, reason };
}

function denied({ rule, reason }: Denial, by: readonly VettedBy[]): Vetted {
  return { verdict: 'denied', rule, reason: oneLine(reason), by };
}

/** A reason may quote an action or a key of a document. */
function oneLine(text: string): string {
  const { maxReasonChars } = governanceLimits;
  const plain = text.replaceAll(/[\p{C}\p{Zl}\p{Zp}]+/gu, ' ');
  if (plain.length <= maxReasonChars) return plain;
  return `${plain.slice(0, maxReasonChars - 1).toWellFormed()}…`;
}
