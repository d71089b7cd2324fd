import { rolloutOperations } from '../../contract/operations/rollout-operations.ts';
import type { Deps } from '../../core/deps.ts';
import type { Channel } from '../../core/policies/channel.ts';
import type { ChannelSettings } from '../../core/policies/channel-settings.ts';
import { putSettings, readSettings } from '../../core/policies/put-settings.ts';
import { jsonReply } from '../reply.ts';
import { originOf, type Route, route } from '../route.ts';

type ChannelDeps = Pick<Deps, 'records' | 'clock' | 'ids' | 'signal'>;

/** How channels take new rules. */
export function channelRoutes(deps: ChannelDeps): Route[] {
  return [
    route(rolloutOperations.getChannel, async ({ principal, params: { channel } }) => {
      const settings = await readSettings(deps, principal.tenant, channel);
      return jsonReply(200, settingsView(channel, settings));
    }),
    route(rolloutOperations.putChannel, async (call) => {
      const { channel } = call.params;
      const { staged, quorum, blackouts, canary, reason = null } = call.body;
      const settings = { staged, approvals: quorum, blackouts, canary };
      const held = await putSettings(deps, originOf(call), channel, settings, reason);
      return jsonReply(200, settingsView(channel, held));
    }),
  ];
}

function settingsView(channel: Channel, settings: ChannelSettings) {
  const { staged, approvals, blackouts, canary } = settings;
  return { channel, staged, quorum: approvals, blackouts, canary };
}
