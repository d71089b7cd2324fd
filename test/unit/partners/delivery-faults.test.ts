import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { deliverDue, deliverRun } from '../../../src/core/partners/deliver-due.ts';
import { redeliver } from '../../../src/core/partners/deliveries.ts';
import { faultyRecords } from '../../support/faulty-records.ts';
import { Killed, Life } from '../journal/mortal.ts';
import { delivered, down, hourMs, minuteMs, PartnerDesk, secondMs } from './partner-desk.ts';

const names = ['acme', 'bolt', 'coil'];

async function prepared(): Promise<PartnerDesk> {
  const desk = new PartnerDesk();
  await desk.put(...names);
  desk.answer = (to, nth) => (to === 'bolt' && nth === 1 ? down : delivered);
  await desk.release(184, { p: 1 }, [...names, 'nobody']);
  return desk;
}

/** Two passes: at once, and five seconds later. */
async function passes(desk: PartnerDesk, deps: PartnerDesk['deps']): Promise<void> {
  await deliverRun(deps, 'demo', 184);
  desk.deps.clock.set(desk.deps.clock.nowMs() + 5 * secondMs);
  await deliverDue(deps);
}

async function expectDone(desk: PartnerDesk): Promise<void> {
  expect(await desk.statuses(184)).toEqual([
    ...names.map((name) => `${name} delivered`),
    'nobody gone',
  ]);
  expect((await desk.told()).map(({ action }) => action).sort()).toEqual([
    'delivery.delivered',
    'delivery.delivered',
    'delivery.delivered',
    'delivery.gone',
  ]);
  expect(await desk.index()).toEqual([]);
}

describe('deliveries, when the process is killed', () => {
  const mortal = ({ deps }: PartnerDesk, life: Life): PartnerDesk['deps'] => ({
    ...deps,
    records: life.during(deps.records, 'get', 'getMany', 'query', 'commit'),
    secrets: life.during(deps.secrets, 'get'),
    partners: life.during(deps.partners, 'send'),
  });

  it.each(['before', 'after'] as const)(
    'each partner gets its notice, at most once more, killed %s any call',
    async (moment) => {
      const life = new Life();
      const clean = await prepared();
      await passes(clean, mortal(clean, life));
      await expectDone(clean);
      expect(clean.sent).toHaveLength(4);
      expect(life.calls).toBeGreaterThan(20);
      for (let diesAt = 1; diesAt <= life.calls; diesAt++) {
        const desk = await prepared();
        const first = await passes(desk, mortal(desk, new Life(diesAt, moment))).catch(
          (error: unknown) => error,
        );
        // What a transport throws is no error of a pass.
        if (first !== undefined) expect(first).toBeInstanceOf(Killed);
        desk.deps.clock.set(desk.deps.clock.nowMs() + minuteMs);
        await desk.due();
        desk.deps.clock.set(desk.deps.clock.nowMs() + 5 * minuteMs);
        await desk.due();
        await expectDone(desk);
        for (const name of names) {
          const notices = desk.sent.filter(({ to }) => to === name).map(({ notice }) => notice);
          expect(notices.length).toBeLessThanOrEqual(name === 'bolt' ? 3 : 2);
          expect(new Set(notices.map(({ id, body }) => id + body)).size).toBe(1);
        }
      }
    },
  );
});

describe('deliveries, when the store does not answer', () => {
  it.each(['not-written', 'written-but-failed', 'conflict'] as const)(
    'end as they would have, and nothing is sent twice: any commit %s',
    async (fault) => {
      for (let failsAt = 1; ; failsAt++) {
        const desk = await prepared();
        let failed = false;
        const records = faultyRecords(desk.deps.records, ({ method, nth }) => {
          if (method !== 'commit' || nth !== failsAt) return undefined;
          failed = true;
          return fault;
        });
        await passes(desk, { ...desk.deps, records });
        await expectDone(desk);
        expect(desk.sent).toHaveLength(4);
        if (!failed) break;
        expect(failsAt).toBeLessThan(20);
      }
    },
  );

  it('go on later, any read failed', async () => {
    for (let failsAt = 1; ; failsAt++) {
      const desk = await prepared();
      let call = 0;
      const records = faultyRecords(desk.deps.records, ({ method }) => {
        if (method === 'commit') return undefined;
        call += 1;
        return call === failsAt ? 'not-written' : undefined;
      });
      await passes(desk, { ...desk.deps, records }).catch(() => undefined);
      desk.at(2 * minuteMs);
      await desk.due();
      desk.at(10 * minuteMs);
      await desk.due();
      await expectDone(desk);
      if (call < failsAt) break;
      expect(failsAt).toBeLessThan(60);
    }
  });
});

describe('the ledger, whatever happens', () => {
  const outcome = fc.constantFrom('delivered', 'acked', 'gone', 'failed', 'failed', 'failed');
  const step = fc.oneof(
    fc.record({ do: fc.constant('wait'), ms: fc.integer({ min: 1, max: 10 * hourMs }) }),
    fc.record({ do: fc.constantFrom('due', 'run', 'race') }),
    fc.record({ do: fc.constant('redeliver'), which: fc.nat(3) }),
    fc.record({ do: fc.constant('release'), which: fc.nat(2) }),
  );

  it('has an index that is true, a schedule that is kept, and an end for all', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { maxLength: 25 }),
        fc.infiniteStream(outcome),
        async (steps, outcomes) => {
          const desk = new PartnerDesk();
          await desk.put(...names);
          desk.answer = () => ({ outcome: outcomes.next().value ?? 'failed', detail: 'x' });
          let run = 0;
          const release = (count: number) => desk.release(++run, { p: run }, names.slice(count));
          await release(0);
          for (const one of steps) {
            if ('ms' in one) desk.deps.clock.set(desk.deps.clock.nowMs() + one.ms);
            else if (one.do === 'due') await desk.due();
            else if (one.do === 'run') await desk.run(run);
            else if (one.do === 'race') await Promise.all([desk.due(), desk.run(run), desk.due()]);
            else if (one.do === 'release') await release('which' in one ? one.which : 0);
            else {
              const [delivery] = await desk.list(run);
              await redeliver(desk.deps, desk.origin(), delivery?.id ?? '').catch(() => undefined);
            }
            expect(await desk.index()).toEqual(await desk.expectedIndex());
          }
          for (let hours = 0; hours < 60; hours++) {
            desk.deps.clock.set(desk.deps.clock.nowMs() + hourMs);
            await desk.due();
          }
          expect(await desk.index()).toEqual([]);
          const all = (
            await Promise.all(Array.from({ length: run }, (_, i) => desk.list(i + 1)))
          ).flat();
          for (const { id, attempts } of all) {
            const sent = desk.sent.filter(({ notice }) => notice.id === id);
            expect(attempts).toHaveLength(Math.min(16, sent.length));
          }
          for (const { status, nextAttemptAt } of all) {
            expect(['pending', 'retrying']).not.toContain(status);
            expect(nextAttemptAt).toBeNull();
          }
        },
      ),
      { numRuns: 60 },
    );
  });
});
