import { describe, expect, it } from 'vitest';
import { getRecord, type KeyOf } from '../../../src/core/records.ts';
import type { JobDesk } from '../../support/job-desk.ts';
import { countEffect, deskOf, effectsOf } from './effects.ts';

const startMs = Date.UTC(2026, 0, 1);

const sharedKey: KeyOf<number> = { partition: 'demo#shared', sort: 'one' };

describe('the transaction of an attempt', () => {
  it('begins anew, with what stands now, when others changed what it read', async () => {
    const seen: number[] = [];
    const desk = deskOf(async (context) => {
      const shared = (await context.tx.get(sharedKey)) ?? 0;
      seen.push(shared);
      if (seen.length <= 2) await bump(desk);
      await context.tx.put(sharedKey, shared + 100);
      return countEffect(context);
    });
    const { id } = await desk.submit();
    expect(await desk.workOnce()).toBe('ended');
    expect(seen).toEqual([0, 1, 2]);
    expect((await getRecord(desk.deps, sharedKey))?.value).toBe(102);
    expect(await desk.job(id)).toMatchObject({ status: 'completed', attempts: 1 });
    expect(await effectsOf(desk.deps.records, 'demo', id)).toBe(1);
    await desk.consistent();
  });

  it('begins anew, too, when what it only read has changed', async () => {
    let runs = 0;
    const desk = deskOf(async (context) => {
      runs += 1;
      await context.tx.get(sharedKey);
      if (runs === 1) await bump(desk);
      return countEffect(context);
    });
    await desk.submit();
    await desk.workOnce();
    expect(runs).toBe(2);
  });

  it('binds nobody when nothing is to be written', async () => {
    let runs = 0;
    const desk = deskOf(async ({ tx }) => {
      runs += 1;
      await tx.get(sharedKey);
      await bump(desk);
      return null;
    });
    await desk.submit();
    expect(await desk.workOnce()).toBe('ended');
    expect(runs).toBe(1);
  });

  it('fails the attempt when it never gets through', async () => {
    let runs = 0;
    const desk = deskOf(async ({ tx }) => {
      runs += 1;
      await tx.put(sharedKey, ((await tx.get(sharedKey)) ?? 0) + 1);
      await bump(desk);
      return null;
    });
    const { id } = await desk.submit();
    expect(await desk.workOnce()).toBe('waits');
    expect(runs).toBe(51);
    expect(await desk.job(id)).toMatchObject({
      status: 'failed',
      attempts: 1,
      error: { code: 'transaction_conflict' },
    });
    await desk.consistent();
  });

  it('takes no more time in all than one attempt may', async () => {
    const desk = deskOf(
      async ({ tx }) => {
        await tx.put(sharedKey, ((await tx.get(sharedKey)) ?? 0) + 1);
        await bump(desk);
        await desk.clock.sleep(4000);
        return null;
      },
      { timeoutMs: 10_000 },
    );
    const { id } = await desk.submit();
    await desk.workOnce();
    expect((await desk.job(id)).error?.code).toBe('timeout');
    expect(desk.clock.nowMs() - startMs).toBeLessThan(11_000);
  });

  it('has the effects of 60 jobs on one record once each, and none loses for ever', async () => {
    const runs = new Map<string, number>();
    const desk = deskOf(
      async ({ tx, job }) => {
        runs.set(job.id, (runs.get(job.id) ?? 0) + 1);
        await tx.put(sharedKey, ((await tx.get(sharedKey)) ?? 0) + 1);
        return null;
      },
      { concurrency: 10 },
    );
    await Promise.all(Array.from({ length: 60 }, () => desk.submit()));
    await desk.workFor(5000, 20);
    for (const job of await desk.consistent()) {
      expect(job).toMatchObject({ status: 'completed', attempts: 1 });
    }
    expect((await getRecord(desk.deps, sharedKey))?.value).toBe(60);
    // Ten at a time: whoever came first is never behind for longer than the others take.
    expect(Math.max(...runs.values())).toBeLessThanOrEqual(20);
  });

  async function bump(desk: JobDesk): Promise<void> {
    const held = await getRecord(desk.deps, sharedKey);
    const value = (held?.value ?? 0) + 1;
    await desk.deps.records.commit(
      [{ kind: 'put', key: sharedKey, value, expect: held?.rev ?? 'absent' }],
      desk.deps.ids.next(),
    );
  }
});
