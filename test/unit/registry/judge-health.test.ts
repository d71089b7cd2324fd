import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { judgeService, judgeTarget, type Probed } from '../../../src/core/registry/judge-health.ts';
import {
  type ServiceHealth,
  type TargetHealth,
  worstOf,
} from '../../../src/core/registry/service-health.ts';
import { manifestOf, minuteMs, secondMs, startMs } from './service-desk.ts';

const well = (atMs: number): Probed => ({ ok: true, detail: 'answered 200', tookMs: 3, atMs });
const ill = (atMs: number): Probed => ({ ok: false, detail: 'answered 503', tookMs: 3, atMs });

const [url, second, other] = ['https://a.example', 'https://b.example', 'https://c.example'];
const three = manifestOf('maya', { url, replicas: [second], secondaryUrl: other });

/** One round: `++-` are the outcomes of the targets in their order; a space is no probe. */
function round(health: ServiceHealth | undefined, signs: string, atMs: number): ServiceHealth {
  const urls = [url, second, other];
  const probes = new Map(
    urls.flatMap((each, place): [string, Probed][] => {
      const sign = signs[place];
      return sign === '+' || sign === '-' ? [[each, sign === '+' ? well(atMs) : ill(atMs)]] : [];
    }),
  );
  return judgeService(three, health, probes, atMs);
}

function rounds(...all: readonly string[]): ServiceHealth {
  let health: ServiceHealth | undefined;
  all.forEach((signs, place) => {
    health = round(health, signs, startMs + (place + 1) * 10 * secondMs);
  });
  if (health === undefined) throw new Error('no rounds');
  return health;
}

/** In words that have nothing to do with how it is counted: the latest probes that agree. */
function upAfter(oks: readonly boolean[], rise: number, fall: number): boolean {
  let up = false;
  let everUp = false;
  oks.forEach((ok, place) => {
    const same = oks.slice(0, place + 1).toReversed();
    const differs = same.findIndex((each) => each !== ok);
    const inARow = differs === -1 ? same.length : differs;
    const needed = ok ? (everUp ? rise : 1) : fall;
    if (inARow >= needed) up = ok;
    everUp ||= up;
  });
  return up;
}

describe('a target', () => {
  const fresh = judgeService(manifestOf('maya'), undefined, new Map(), startMs).targets[0]!;
  const after = (oks: readonly boolean[], rise: number, fall: number): TargetHealth =>
    oks.reduce((target, ok, place) => {
      const atMs = startMs + (place + 1) * secondMs;
      return judgeTarget(target, ok ? well(atMs) : ill(atMs), { rise, fall });
    }, fresh);

  it('is down until it has answered', () => {
    expect(fresh).toMatchObject({ up: false, proven: false, probedAtMs: 0, tookMs: null });
  });

  it('is up, or not, as the latest probes in a row say', () => {
    fc.assert(
      fc.property(
        fc.array(fc.boolean(), { maxLength: 30 }),
        fc.integer({ min: 1, max: 4 }),
        fc.integer({ min: 1, max: 4 }),
        (oks, rise, fall) => {
          expect(after(oks, rise, fall).up).toBe(upAfter(oks, rise, fall));
        },
      ),
    );
  });

  it('is up with its first good answer, later only after `rise`', () => {
    expect(after([true], 3, 2).up).toBe(true);
    expect(after([false, false, true], 3, 2).up).toBe(true);
    expect(after([true, false, false, true, true], 3, 2).up).toBe(false);
    expect(after([true, false, false, true, true, true], 3, 2)).toMatchObject({
      up: true,
      sinceMs: startMs + 6 * secondMs,
      against: 0,
    });
  });

  it('keeps since when it has been so', () => {
    fc.assert(
      fc.property(fc.array(fc.boolean(), { minLength: 1, maxLength: 30 }), (oks) => {
        const states = oks.map((_, place) => upAfter(oks.slice(0, place + 1), 2, 2));
        const turned = states.findLastIndex((up, place) => up !== (states[place - 1] ?? false));
        const since = turned === -1 ? 0 : turned + 1;
        expect(after(oks, 2, 2).sinceMs).toBe(startMs + since * secondMs);
      }),
    );
  });

  it('takes two probes within a second for one, whichever way the clock went', () => {
    const up = after([true], 2, 2);
    const once = judgeTarget(up, ill(startMs + 5000), { rise: 2, fall: 2 });
    expect(once).toMatchObject({ up: true, against: 1 });
    for (const atMs of [5000, 5999, 4001]) {
      expect(judgeTarget(once, ill(startMs + atMs), { rise: 2, fall: 2 })).toBe(once);
    }
    for (const atMs of [6000, 4000]) {
      expect(judgeTarget(once, ill(startMs + atMs), { rise: 2, fall: 2 }).up).toBe(false);
    }
  });
});

describe('a service', () => {
  it.each([
    ['nothing was probed', ['   '], 'red', 'none of 3 is up: not probed yet'],
    ['nothing answers', ['---'], 'red', 'none of 3 is up: answered 503'],
    ['all is well', ['+++'], 'green', 'all 3 are up'],
    ['one probe failed', ['+++', '-++'], 'yellow', 'answered 503, 1 of 2 in a row'],
    ['it did not go on', ['+++', '-++', '+++'], 'green', 'all 3 are up'],
    ['one is down', ['+++', '-++', '-++'], 'yellow', '1 of 2 is down: answered 503'],
    ['one comes back', ['+-+', '+-+', '+++'], 'green', 'all 3 are up'],
    [
      'one that was up comes back',
      ['+++', '-++', '-++', '+++'],
      'yellow',
      '1 of 2 is down: answered 200, 1 of 2 in a row',
    ],
    ['the second region alone is up', ['--+'], 'yellow', 'only the secondary is up: answered 503'],
    ['the second region is down', ['++-'], 'yellow', 'the secondary is down: answered 503'],
  ])('when %s', (_, signs, status, reason) => {
    expect(rounds(...signs)).toMatchObject({ status, reason });
  });

  it('of one target says what that one said', () => {
    const manifest = manifestOf('maya', { url });
    const one = judgeService(manifest, undefined, new Map([[url, well(startMs)]]), startMs);
    expect(one).toMatchObject({ status: 'green', reason: 'answered 200', sinceMs: startMs });
    const nobody = judgeService(manifest, undefined, new Map(), startMs);
    expect(nobody).toMatchObject({ status: 'red', reason: 'not probed yet' });
  });

  it('is red when nothing is up, green when nothing is amiss, and yellow otherwise', () => {
    const signs = fc.string({ unit: fc.constantFrom('+', '-', ' '), minLength: 3, maxLength: 3 });
    fc.assert(
      fc.property(fc.array(signs, { minLength: 1, maxLength: 12 }), (all) => {
        const { status, targets } = rounds(...all);
        const ups = targets.filter(({ up }) => up).length;
        const amiss = targets.some(({ up, against }) => !up || against > 0);
        expect(status).toBe(ups === 0 ? 'red' : amiss ? 'yellow' : 'green');
        const colours = all.map((__, place) => rounds(...all.slice(0, place + 1)).status);
        const turned = colours.findLastIndex((colour, place) => colour !== colours[place - 1]);
        expect(rounds(...all).sinceMs).toBe(startMs + (turned + 1) * 10 * secondMs);
      }),
    );
  });

  it('keeps what is known of a URL that stays, and begins anew with another', () => {
    const before = rounds('+++');
    const manifest = manifestOf('maya', { url: second, replicas: ['https://d.example'] });
    const after = judgeService(manifest, before, new Map(), startMs + minuteMs);
    expect(after.targets.map((target) => [target.url, target.up])).toEqual([
      [second, true],
      ['https://d.example', false],
    ]);
    expect(after).toMatchObject({
      status: 'yellow',
      reason: '1 of 2 is down: not probed yet',
      sinceMs: startMs + minuteMs,
    });
  });

  it('stays what it is without news', () => {
    const before = rounds('+-+', '+-+');
    expect(judgeService(three, before, new Map(), startMs + minuteMs)).toEqual(before);
  });
});

it('the worst of several colours', () => {
  expect(worstOf([])).toBe('green');
  expect(worstOf(['green', 'yellow', 'green'])).toBe('yellow');
  expect(worstOf(['yellow', 'red', 'green'])).toBe('red');
});
