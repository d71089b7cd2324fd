import { defaultSettings } from '../../../src/core/policies/channel-settings.ts';
import { putSettings } from '../../../src/core/policies/put-settings.ts';
import type { RolloutDesk } from '../../support/rollout-desk.ts';

/** Begins or ends a blackout of prod that would last for years. */
export async function freeze(desk: RolloutDesk, isFrozen: boolean): Promise<void> {
  const window = { since: '2025-01-01T00:00:00Z', until: '2030-01-01T00:00:00Z', reason: 'freeze' };
  const settings = { ...defaultSettings, blackouts: isFrozen ? [window] : [] };
  await putSettings(desk.deps, desk.origin('ops'), 'prod', settings, null);
}
