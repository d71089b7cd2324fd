import type { StoredRecord } from '../../ports/record-store.ts';
import type { Deps } from '../deps.ts';
import { NotFound } from '../errors/app-error.ts';
import type { ChannelRecord } from '../policies/channel-record.ts';
import { type ChannelSettings, defaultSettings } from '../policies/channel-settings.ts';
import {
  channelHeadKey,
  channelKey,
  channelSettingsKey,
  summaryKey,
} from '../policies/policy-keys.ts';
import type { ChannelHead, PolicySummary } from '../policies/policy-summary.ts';
import { getRecord, getRecords } from '../records.ts';
import type { RunRef } from './rollout-tasks.ts';
import { runKey, runLanesKey } from './run-keys.ts';
import type { RunLanes } from './run-lanes.ts';
import type { RunPolicy, RunRecord } from './run-record.ts';

/** One policy of a run, and its lane as it stands. */
export interface RunLane {
  readonly policy: RunPolicy;
  readonly records: {
    readonly channel: StoredRecord<ChannelRecord> | undefined;
    readonly summary: StoredRecord<PolicySummary> | undefined;
  };
}

/** Everything that a step of a run rests on, as read. */
export interface Situation {
  readonly ref: RunRef;
  readonly stored: StoredRecord<RunRecord>;
  readonly lanes: readonly RunLane[];
  readonly head: StoredRecord<ChannelHead> | undefined;
  readonly runLanes: StoredRecord<RunLanes> | undefined;
  readonly settings: ChannelSettings;
}

export async function requireRun(
  deps: Pick<Deps, 'records'>,
  ref: RunRef,
): Promise<StoredRecord<RunRecord>> {
  const stored = await getRecord(deps, runKey(ref));
  if (stored === undefined) throw new NotFound(`There is no run ${ref.run}.`);
  return stored;
}

/** Two round trips, whatever the number of policies. Errors: `NotFound`. */
export async function readSituation(deps: Pick<Deps, 'records'>, ref: RunRef): Promise<Situation> {
  const stored = await requireRun(deps, ref);
  const { tenant } = ref;
  const { channel, policies } = stored.value;
  const [fixed, channels, summaries] = await Promise.all([
    getRecords(deps, [
      channelHeadKey(tenant, channel),
      runLanesKey(tenant, channel),
      channelSettingsKey(tenant, channel),
    ]),
    getRecords(
      deps,
      policies.map(({ id }) => channelKey(tenant, id, channel)),
    ),
    getRecords(
      deps,
      policies.map(({ id }) => summaryKey(tenant, id)),
    ),
  ]);
  const [head, runLanes, settings] = fixed;
  const lanes = policies.map((policy, place) => ({
    policy,
    records: { channel: channels[place], summary: summaries[place] },
  }));
  return { ref, stored, lanes, head, runLanes, settings: settings?.value ?? defaultSettings };
}
