import type { Canary } from '../../../src/core/policies/canary.ts';
import { requireSnapshot } from '../../../src/core/policies/find-snapshot.ts';
import { startCanary } from '../../../src/core/policies/move-channel.ts';
import { channelHeadKey, channelKey, summaryKey } from '../../../src/core/policies/policy-keys.ts';
import { placeSnapshot } from '../../../src/core/policies/read-rule.ts';
import { getRecord } from '../../../src/core/records.ts';
import { ApiDesk } from './api-desk.ts';

export const leaseMs = 90_000;

/** A rule in prod, and a candidate that an audience gets, as run 7 makes it. */
export async function deskWithCanary(audience: Partial<Canary> = {}) {
  const desk = new ApiDesk();
  const stable = await desk.rule('epa', '1.0.0', 'prod');
  const candidate = await desk.rule('epa', '2.0.0');
  const { records, clock } = desk.deps;
  const [channelAt, summaryAt, headAt] = [
    channelKey('demo', 'epa', 'prod'),
    summaryKey('demo', 'epa'),
    channelHeadKey('demo', 'prod'),
  ];
  const nowMs = clock.nowMs();
  const named = await requireSnapshot({ records }, 'demo', 'epa', candidate);
  const rule = await placeSnapshot({ records }, 'demo', 'epa', named);
  const everyone = { weight: 10_000, salt: 'salt-7', region: null, enforcedFromMs: null };
  const canary = { ...everyone, ...audience, run: 7, rule, leaseUntilMs: nowMs + leaseMs };
  const [channel, summary, head] = await Promise.all([
    getRecord({ records }, channelAt),
    getRecord({ records }, summaryAt),
    getRecord({ records }, headAt),
  ]);
  if (channel === undefined || summary === undefined || head === undefined) throw new Error('none');
  const after = startCanary(channel.value, canary, nowMs);
  const { earlier: _, ...state } = after;
  const { run: _run, rule: _rule, ...terms } = canary;
  await desk.put(channelAt, after);
  await desk.put(summaryAt, {
    ...summary.value,
    channels: { ...summary.value.channels, prod: state },
  });
  await desk.put(headAt, { ...head.value, canaries: { epa: terms } });
  return { desk, stable, candidate, audience: canary };
}
