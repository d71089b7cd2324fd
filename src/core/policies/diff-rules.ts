import type { Deps } from '../deps.ts';
import type { Json } from '../values/json.ts';
import { isChannel } from './channel.ts';
import type { PlacedRule, SnapshotRef } from './channel-record.ts';
import { diffJson, type JsonChange } from './diff-json.ts';
import { findSnapshot } from './find-snapshot.ts';
import { refOf } from './move-channel.ts';
import { requirePolicy } from './read-history.ts';
import { placeSnapshot, readBody, readRule } from './read-rule.ts';

export interface RuleDiff {
  readonly from: SnapshotRef;
  readonly to: SnapshotRef;
  readonly changes: readonly JsonChange[];
}

type DiffDeps = Pick<Deps, 'records' | 'blobs' | 'clock'>;

/** What differs between two rules of a policy, each named by a snapshot or by a channel. */
export async function diffRules(
  deps: DiffDeps,
  tenant: string,
  id: string,
  from: string,
  to: string,
): Promise<RuleDiff> {
  await requirePolicy(deps, tenant, id);
  const [left, right] = await Promise.all([
    ruleNamed(deps, tenant, id, from),
    ruleNamed(deps, tenant, id, to),
  ]);
  const [before, after] = await Promise.all([
    readBody(deps, tenant, left.body),
    readBody(deps, tenant, right.body),
  ]);
  const changes = diffJson(JSON.parse(before) as Json, JSON.parse(after) as Json);
  return { from: refOf(left), to: refOf(right), changes };
}

async function ruleNamed(
  deps: DiffDeps,
  tenant: string,
  id: string,
  name: string,
): Promise<PlacedRule> {
  if (!isChannel(name)) {
    return placeSnapshot(deps, tenant, id, await findSnapshot(deps, tenant, id, name));
  }
  const { rule } = await readRule(deps, { tenant, id, channel: name }, null);
  return rule;
}
