import type { Deps } from '../deps.ts';
import { commit } from '../journal/commit.ts';
import type { Origin } from '../journal/journal-entry.ts';
import { getRecord } from '../records.ts';
import type { Json } from '../values/json.ts';
import type { Channel } from './channel.ts';
import { type ChannelSettings, defaultSettings } from './channel-settings.ts';
import { channelSettingsKey } from './policy-keys.ts';

/** How a channel takes new rules from now on. The same as before changes nothing. */
export async function putSettings(
  deps: Pick<Deps, 'records' | 'clock' | 'ids' | 'signal'>,
  origin: Origin,
  channel: Channel,
  settings: ChannelSettings,
  reason: string | null,
): Promise<ChannelSettings> {
  const key = channelSettingsKey(origin.tenant, channel);
  return commit(deps, origin, async () => {
    const found = await getRecord(deps, key);
    const before = found?.value ?? defaultSettings;
    if (JSON.stringify(before) === JSON.stringify(settings)) {
      return { kind: 'unchanged', result: settings };
    }
    return {
      kind: 'change',
      entry: {
        action: 'channel.settings',
        subject: `channel:${channel}`,
        before: before as unknown as Json,
        after: settings as unknown as Json,
        reason,
      },
      writes: () => [{ kind: 'put', key, value: settings, expect: found?.rev ?? 'absent' }],
      result: () => settings,
    };
  });
}

export async function readSettings(
  deps: Pick<Deps, 'records'>,
  tenant: string,
  channel: Channel,
): Promise<ChannelSettings> {
  return (await getRecord(deps, channelSettingsKey(tenant, channel)))?.value ?? defaultSettings;
}
