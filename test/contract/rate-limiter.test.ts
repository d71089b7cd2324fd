import { bucketRateLimiter } from '../../src/adapters/local/bucket-rate-limiter.ts';
import { sharedRateLimiter } from '../../src/adapters/runtime/shared-rate-limiter.ts';
import { coreDeps } from '../support/core-deps.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { describeRateLimiter } from './rate-limiter.suite.ts';

describeRateLimiter('bucketRateLimiter', { exact: true }, (limits) => {
  const clock = new ManualClock();
  return {
    limiters: [bucketRateLimiter(limits, () => clock.nowMs())],
    pass: (ms) => clock.advance(ms),
  };
});

describeRateLimiter('sharedRateLimiter, one process', { exact: true }, (limits) => {
  const clock = new ManualClock();
  return {
    limiters: [sharedRateLimiter(coreDeps({ clock }), limits)],
    pass: (ms) => clock.advance(ms),
  };
});

/** What the adapter says, for 3 processes that tell at least every 1.25 s. */
const processes = 3;
describeRateLimiter(
  `sharedRateLimiter, ${processes} processes`,
  {
    exact: ({ tenant }) =>
      (processes - 1) * (1.05 * (tenant?.burst ?? 0) + 2 * 1.25 * (tenant?.perSecond ?? 0)),
  },
  (limits) => {
    const clock = new ManualClock();
    const deps = coreDeps({ clock });
    return {
      limiters: Array.from({ length: processes }, (_, index) =>
        // Apart, so that they are not in each other's way.
        sharedRateLimiter(deps, limits, { random: () => index / processes }),
      ),
      pass: (ms) => clock.advance(ms),
    };
  },
);
