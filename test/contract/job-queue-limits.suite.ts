import { expect, it } from 'vitest';

import type { QueuedJob, TurnWish } from '../../src/ports/job-queue.ts';
import { expectDefect } from '../support/expect-defect.ts';
import { numbered, type JobQueueSuite } from './job-queue-suite.ts';

export function describeJobLimits(suite: JobQueueSuite): void {
  it('takes 100 jobs of several types and priorities in one call', async () => {
    const jobs = numbered('j', 100).map((id, i) =>
      suite.job(id, {
        type: i % 2 === 0 ? 'type.a' : 'type.b',
        priority: (['high', 'normal', 'low'] as const)[i % 3]!,
      }),
    );
    await suite.queue.send(jobs);
    const found = await suite.drain(10);
    expect(found).toHaveLength(50);
    expect(await suite.ids({ max: 10 }, 'type.b')).toHaveLength(10);
  });

  it('takes names of 128 characters, and a time that is long past', async () => {
    const name = 'aZ09._-'.repeat(19).slice(0, 128);
    await suite.queue.send([suite.job(name, { tenant: name, notBeforeMs: 0 })]);
    expect(await suite.turn()).toMatchObject({ tenant: name, id: name });
  });

  it('refuses no job, 101, and one that is none, and takes none of such a call', async () => {
    const good = suite.job('good');
    await expectDefect(() => suite.queue.send([]));
    await expectDefect(() => suite.queue.send(numbered('j', 101).map((id) => suite.job(id))));
    const changes: readonly Partial<QueuedJob>[] = [
      { id: '' },
      { id: 'x'.repeat(129) },
      { id: 'a/b' },
      { tenant: '' },
      { tenant: 'a b' },
      { type: 'ä' },
      { notBeforeMs: 1.5 },
      { notBeforeMs: Number.NaN },
    ];
    for (const change of changes) {
      await expectDefect(() => suite.queue.send([good, suite.job('bad', change)]));
    }
    expect(await suite.receive()).toEqual([]);
  });

  it.each<Partial<TurnWish>>([
    { max: 0 },
    { max: 11 },
    { max: 1.5 },
    { hideMs: 0 },
    { hideMs: 39_600_001 },
    { hideMs: Number.NaN },
    { waitMs: -1 },
    { waitMs: 20_001 },
    { waitMs: 0.5 },
  ])('refuses the wish %j, and hands out nothing', async (wish) => {
    await suite.send('1');
    await expectDefect(() => suite.receive(wish));
    expect(await suite.ids()).toEqual(['1']);
  });

  it('hides for 0 ms to 11 hours, and refuses all else', async () => {
    await suite.send('1');
    const turn = await suite.turn({ hideMs: 3_600_000 });
    for (const ms of [-1, 0.5, 39_600_001, Number.NaN]) {
      await expectDefect(() => suite.queue.hide(turn, ms));
    }
    expect(await suite.ids()).toEqual([]);
    expect(await suite.queue.hide(turn, 39_600_000)).toBe('hidden');
    expect(await suite.ids()).toEqual([]);
  });
}
