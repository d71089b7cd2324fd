import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Unavailable } from '../../../src/core/errors/app-error.ts';
import { recordProbes } from '../../../src/core/registry/probe-service.ts';
import { findService } from '../../../src/core/registry/read-service.ts';
import { SleeplessClock } from '../../support/core-deps.ts';
import { countingRecords } from '../../support/counting-records.ts';
import type { FakeAnswer } from '../../support/fake-probe.ts';
import { faultyRecords } from '../../support/faulty-records.ts';
import type { Fault } from '../../support/inject-faults.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { memoryRecords } from '../../support/memory-records.ts';
import { journal } from '../journal/notes.ts';
import { check, secondMs, ServiceDesk, startMs } from './service-desk.ts';

/** A service that answers these, one after another, 10 s apart; the first when it is registered. */
async function answering(desk: ServiceDesk, ...answers: readonly FakeAnswer[]): Promise<void> {
  for (const [place, answer] of answers.entries()) {
    desk.probe.answer = () => answer;
    await (place === 0 ? desk.put('maya') : desk.probed('maya'));
  }
}

describe('probing a service', () => {
  it('asks every target for its health page, at the same moment', async () => {
    const desk = new ServiceDesk();
    await desk.put('maya', {
      url: 'https://maya.example/v1',
      replicas: ['https://b.example'],
      secondaryUrl: 'https://c.example',
      health: { ...check, path: '/up' },
    });
    desk.probe.made.length = 0;
    await desk.probed('maya');
    const atMs = startMs + 10 * secondMs;
    expect(desk.probe.made).toEqual([
      { url: 'https://maya.example/v1/up', atMs },
      { url: 'https://b.example/up', atMs },
      { url: 'https://c.example/up', atMs },
    ]);
  });

  it('tells of each change of colour in the journal, and of nothing else', async () => {
    const desk = new ServiceDesk();
    await answering(desk, 200, 200, 503, 503, 'refused', 200, 200, 200);
    expect(await desk.told()).toEqual([
      'service.registered',
      'service.health green yellow',
      'service.health yellow red',
      'service.health red green',
    ]);
    const entry = (await journal(desk.deps.records, 'demo'))[2];
    expect(entry).toMatchObject({
      actor: 'hms-svc',
      subject: 'service:maya',
      before: { status: 'yellow', reason: 'answered 503, 1 of 2 in a row', up: 1, targets: 1 },
      after: {
        status: 'red',
        reason: 'answered 503',
        since: new Date(startMs + 30 * secondMs).toISOString(),
        up: 0,
        targets: 1,
      },
      reason: null,
    });
    expect(JSON.stringify(entry)).not.toContain('maya.example');
  });

  it('has the reason of the latest probe, and since when it is so', async () => {
    const desk = new ServiceDesk();
    await answering(desk, 200, 503, 503, 'refused');
    const { health } = await desk.read('maya');
    expect(health).toMatchObject({
      status: 'red',
      reason: 'no answer (ECONNREFUSED)',
      sinceMs: startMs + 20 * secondMs,
      targets: [
        { up: false, sinceMs: startMs + 20 * secondMs, probedAtMs: startMs + 30 * secondMs },
      ],
    });
  });

  it('of one that is not there, or not any more, does nothing', async () => {
    const desk = new ServiceDesk();
    expect(await desk.probed('maya')).toBeUndefined();
    await desk.put('maya');
    const known = await findService(desk.deps, 'demo', 'maya');
    await desk.remove('maya');
    const atMs = desk.deps.clock.nowMs() + 10 * secondMs;
    desk.deps.clock.set(atMs);
    for (const ok of [true, false]) {
      const probes = new Map([
        ['https://maya.example', { ok, detail: 'answered 200', tookMs: 1, atMs }],
      ]);
      const ref = { tenant: 'demo', name: 'maya' };
      expect(await recordProbes(desk.deps, ref, probes)).toBeUndefined();
      // By what it knew there may be nothing to record.
      const after = await recordProbes(desk.deps, ref, probes, known);
      expect(after?.status).toBe(ok ? 'green' : undefined);
    }
    expect(await desk.told()).toEqual(['service.registered', 'service.removed']);
    await expect(desk.read('maya')).rejects.toThrow('There is no service');
  });

  it('is of what the manifest says when the answer is there', async () => {
    const desk = new ServiceDesk();
    await desk.put('maya');
    const { promise, resolve } = Promise.withResolvers<FakeAnswer>();
    desk.probe.answer = (url) => (url.includes('new') ? 200 : promise);
    const probing = desk.probed('maya');
    await desk.put('maya', { url: 'https://new.example' });
    resolve(500);
    await probing;
    expect((await desk.read('maya')).health).toMatchObject({
      status: 'green',
      targets: [{ url: 'https://new.example', up: true }],
    });
    expect(await desk.told()).toEqual(['service.registered', 'service.changed']);
  });
});

describe('what probing costs', () => {
  async function counted(...answers: readonly FakeAnswer[]) {
    const clock = new ManualClock();
    const { port: records, calls, reset } = countingRecords(memoryRecords(clock));
    const desk = new ServiceDesk({ records, clock });
    await answering(desk, ...answers);
    reset();
    return { desk, calls };
  }

  it('is one round trip for each probe, and a write a minute, while nothing changes', async () => {
    for (const answer of [200, 503] as const) {
      const { desk, calls } = await counted(answer);
      for (let i = 0; i < 60; i++) await desk.probed('maya');
      expect(calls).toEqual({ get: 0, getMany: 60, query: 0, commit: 10 });
    }
  });

  it('is a write more for each change', async () => {
    const { desk, calls } = await counted(200, 503, 503);
    desk.probe.answer = () => 502;
    await desk.probed('maya');
    expect(calls).toEqual({ get: 0, getMany: 1, query: 0, commit: 1 });
  });

  it('is a round trip more, and the head of the journal, for a change of colour', async () => {
    const { desk, calls } = await counted(200);
    desk.probe.answer = () => 503;
    await desk.probed('maya');
    expect(calls).toEqual({ get: 1, getMany: 2, query: 0, commit: 1 });
  });
});

describe('probing, when others are at it', () => {
  it('does not count twice what two probers saw', async () => {
    const desk = new ServiceDesk();
    await desk.put('maya');
    desk.probe.answer = () => 503;
    desk.deps.clock.set(startMs + 10 * secondMs);
    await Promise.all([desk.probed('maya', 0), desk.probed('maya', 0), desk.probed('maya', 300)]);
    expect((await desk.read('maya')).health).toMatchObject({
      status: 'yellow',
      targets: [{ up: true, against: 1 }],
    });
  });

  it('counts each probe once, whatever becomes of a write or its answer', async () => {
    const faults: readonly Fault[] = ['none', 'not-written', 'written-but-failed', 'conflict'];
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.constantFrom(...faults), { maxLength: 12 }),
        fc.array(fc.constantFrom<FakeAnswer>(200, 503), { minLength: 1, maxLength: 8 }),
        async (bad, answers) => {
          const clock = new SleeplessClock();
          const memory = memoryRecords(clock);
          const desk = new ServiceDesk({ records: memory, clock });
          await desk.put('maya');
          const commit = ['none' as const, ...bad];
          const shaky = new ServiceDesk({ records: faultyRecords(memory, { commit }), clock });
          let unanswered = 0;
          for (const answer of answers) {
            shaky.probe.answer = () => answer;
            await shaky.probed('maya').catch((error: unknown) => {
              expect(error).toBeInstanceOf(Unavailable);
              unanswered += 1;
            });
          }
          const { health } = await desk.read('maya');
          const down = answers.filter((answer) => answer === 503).length;
          if (down < 2) expect(health.status).not.toBe('red');
          if (unanswered === 0 && answers.slice(-2).every((answer) => answer === 503)) {
            expect(health.status).toBe(answers.length > 1 ? 'red' : 'yellow');
          }
          // The journal tells the colours one after another, down to the one that is.
          const told = await desk.told();
          const colours = told.flatMap((line) => line.split(' ').slice(1));
          expect(colours[0] ?? 'green').toBe('green');
          for (let i = 1; i < colours.length - 1; i += 2) expect(colours[i + 1]).toBe(colours[i]);
          expect(colours.at(-1) ?? 'green').toBe(health.status);
        },
      ),
      { numRuns: 200 },
    );
  });
});
