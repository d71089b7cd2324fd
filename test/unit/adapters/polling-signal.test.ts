import { expect, it } from 'vitest';

import { pollingSignal } from '../../../src/adapters/aws/polling-signal.ts';
import { systemClock } from '../../../src/adapters/runtime/system-clock.ts';
import { describeJournalSignal } from '../../contract/journal-signal.suite.ts';
import { ManualClock } from '../../support/manual-clock.ts';

describeJournalSignal('pollingSignal', async () => ({
  signal: pollingSignal({ clock: systemClock, intervalMs: 20 }),
}));

it.each([
  [5000, 1000],
  [300, 300],
])('a wait of at most %d ms takes %d ms', async (timeoutMs, expectedMs) => {
  const clock = new ManualClock();
  let isOver = false;
  const wait = pollingSignal({ clock })
    .wait('demo', 0, timeoutMs)
    .then(() => (isOver = true));
  await clock.advance(expectedMs - 1);
  expect(isOver).toBe(false);
  await clock.advance(1);
  await wait;
});
