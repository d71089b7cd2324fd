import { setImmediate } from 'node:timers/promises';
import { beforeEach, describe, expect, it } from 'vitest';
import { redeliver, restoreNotices } from '../../../src/core/partners/deliveries.ts';
import { newDeliveryId, noticesOfId } from '../../../src/core/partners/delivery.ts';
import { deletePartner } from '../../../src/core/partners/partners.ts';
import type { Attempt } from '../../../src/ports/partner-transport.ts';
import {
  delivered,
  down,
  hourMs,
  minuteMs,
  PartnerDesk,
  scheduleMs,
  secondMs,
  startMs,
} from './partner-desk.ts';

let desk: PartnerDesk;
beforeEach(async () => {
  desk = new PartnerDesk();
  await desk.put('acme', 'bolt');
  desk.answer = () => down;
});

describe('a delivery that newer ones replace', () => {
  /** Run 184 told `acme` of `p` and `q`, in vain; then `newer` is released, and all try again. */
  async function afterNewer(...newer: Parameters<PartnerDesk['release']>[]): Promise<string> {
    await desk.release(184, { p: 4, q: 4 }, ['acme']);
    await desk.due();
    for (const release of newer) await desk.release(...release);
    desk.at(5 * secondMs);
    await desk.due();
    return (await desk.statuses(184)).join();
  }

  it.each([
    ['one about all of its policies', [[185, { p: 5, q: 5 }, ['acme']]]],
    ['one about more', [[185, { p: 5, q: 5, r: 1 }, ['bolt', 'acme']]]],
    [
      'two that are about all of them together',
      [
        [185, { p: 5 }, ['acme']],
        [186, { q: 5 }, ['acme']],
      ],
    ],
    ['the restore of an older run', [[183, { p: 5, q: 5 }, ['acme'], { kind: 'restored' }]]],
    ['its own restore', [[184, { p: 5, q: 5 }, ['acme'], { kind: 'restored' }]]],
  ] as [string, Parameters<PartnerDesk['release']>[]][])('collapses: %s', async (_, newer) => {
    expect(await afterNewer(...newer)).toContain('acme collapsed');
    const replaced = desk.sent.filter(({ notice }) => notice.id.startsWith('184_released_'));
    expect(replaced).toHaveLength(1);
    expect(await desk.told()).toMatchObject([
      { action: 'delivery.collapsed', subject: 'run:184', after: { partner: 'acme' } },
    ]);
    expect(await desk.index()).toEqual(await desk.expectedIndex());
  });

  it.each([
    ['is about one of two policies', [[185, { p: 5 }, ['acme']]]],
    ['is for another partner', [[185, { p: 5, q: 5 }, ['bolt']]]],
    ['is of another channel', [[185, { p: 5, q: 5 }, ['acme'], { channel: 'test' }]]],
    ['is no newer in the lane', [[185, { p: 4, q: 5 }, ['acme']]]],
  ] as [string, Parameters<PartnerDesk['release']>[]][])(
    'stays when the newer %s',
    async (_, newer) => {
      expect(await afterNewer(...newer)).toBe('acme retrying');
    },
  );

  it.each(['gone', 'delivered'] as const)(
    'depends on whether the newer was %s',
    async (outcome) => {
      await desk.release(184, { p: 4 }, ['acme']);
      await desk.due();
      desk.answer = () => ({ outcome, detail: 'x' });
      await desk.release(185, { p: 5 }, ['acme']);
      await desk.run(185);
      desk.at(5 * secondMs);
      await desk.run(184);
      const expected = outcome === 'gone' ? 'acme gone' : 'acme collapsed';
      expect(await desk.statuses(184)).toEqual([expected]);
      expect(desk.sent).toHaveLength(outcome === 'gone' ? 3 : 2);
    },
  );

  it('never is the newest, nor one of two that would replace each other', async () => {
    desk.answer = () => delivered;
    await desk.release(184, { p: 4, q: 5 }, ['acme']);
    await desk.release(185, { p: 5, q: 4 }, ['acme']);
    await desk.due();
    expect(await desk.statuses(184)).toEqual(['acme delivered']);
    expect(await desk.statuses(185)).toEqual(['acme delivered']);
  });
});

describe('redeliver', () => {
  const again = (id: string, by = desk) => redeliver(desk.deps, by.origin(), id);
  async function ended(outcome: Attempt['outcome']): Promise<string> {
    desk.answer = () => ({ outcome, detail: 'x' });
    await desk.release(184, { p: 1 }, ['acme', 'bolt']);
    await desk.due();
    return (await desk.list(184))[0]?.id ?? '';
  }

  it.each(['delivered', 'gone'] as const)(
    'sends one that was %s again, under its id',
    async (was) => {
      const id = await ended(was);
      desk.at(hourMs);
      desk.answer = () => delivered;
      const delivery = await again(id);
      expect(delivery).toMatchObject({
        id,
        run: 184,
        partner: 'acme',
        status: 'pending',
        attempts: [{ outcome: was }],
        nextAttemptAt: new Date(startMs + hourMs).toISOString(),
        deadlineAt: new Date(startMs + 25 * hourMs).toISOString(),
      });
      expect(await desk.list(184)).toContainEqual(delivery);
      await desk.due();
      expect(desk.sent.map(({ notice }) => notice.id).filter((one) => one === id)).toHaveLength(2);
      const [again_] = await desk.list(184);
      expect(again_).toMatchObject({
        status: 'delivered',
        attempts: [{}, { outcome: 'delivered' }],
      });
      const told = (await desk.told()).filter(({ after }) => JSON.stringify(after).includes(id));
      expect(told.map(({ action, actor }) => `${actor} ${action}`)).toEqual([
        `hms-svc delivery.${was}`,
        'ann delivery.redelivered',
        'hms-svc delivery.delivered',
      ]);
    },
  );

  it('has a whole schedule of its own, and keeps the latest 16 attempts', async () => {
    await desk.release(184, { p: 1 }, ['acme']);
    for (let schedules = 0; schedules < 3; schedules++) {
      const begunMs = desk.deps.clock.nowMs();
      for (const atMs of scheduleMs) {
        desk.deps.clock.set(begunMs + atMs);
        await desk.due();
      }
      expect(desk.sent).toHaveLength(8 * (schedules + 1));
      expect(await desk.statuses(184)).toEqual(['acme exhausted']);
      await again((await desk.list(184))[0]?.id ?? '');
    }
    expect((await desk.list(184))[0]?.attempts).toHaveLength(16);
  });

  it('is not undone by newer notices', async () => {
    await desk.release(184, { p: 1 }, ['acme']);
    await desk.due();
    await desk.release(185, { p: 2 }, ['acme']);
    desk.at(5 * secondMs);
    await desk.due();
    const [delivery] = await desk.list(184);
    expect(delivery?.status).toBe('collapsed');
    desk.answer = () => delivered;
    await again(delivery?.id ?? '');
    await desk.run(184);
    expect(await desk.statuses(184)).toEqual(['acme delivered']);
  });

  it('refuses one that is open, or that the partner has acknowledged', async () => {
    const open = await ended('failed');
    await expect(again(open)).rejects.toMatchObject({ code: 'conflict' });
    desk.answer = () => ({ outcome: 'acked', detail: 'x' });
    desk.at(5 * secondMs);
    await desk.due();
    await expect(again(open)).rejects.toMatchObject({ code: 'conflict' });
  });

  it('needs its partner to be there', async () => {
    const id = await ended('gone');
    await deletePartner(desk.deps, desk.origin(), 'acme');
    await expect(again(id)).rejects.toMatchObject({
      code: 'not_found',
      message: expect.stringContaining('put it again'),
    });
    await desk.put('acme');
    expect((await again(id)).status).toBe('pending');
  });

  it('knows no id but its own, of its own tenant', async () => {
    const id = await ended('gone');
    const other = new PartnerDesk(desk.deps, 'other');
    await expect(again(id, other)).rejects.toMatchObject({ code: 'not_found' });
    const guesses = [
      id.slice(0, -1),
      id.slice(0, -1) + (id.endsWith('0') ? '1' : '0'),
      id.replace('acme', 'bolt'),
      id.replace('184', '185'),
      id.replace('released', 'restored'),
      '',
      '__proto__',
      `${id}\n`,
      'x'.repeat(10_000),
    ];
    for (const guess of guesses) {
      await expect(again(guess)).rejects.toMatchObject({ code: 'not_found' });
    }
  });

  it('is done once when two ask for it', async () => {
    const id = await ended('gone');
    const done = await Promise.allSettled([again(id), again(id)]);
    expect(done.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
  });
});

describe('the id of a delivery', () => {
  it('leads to its notices, and fits every transport', () => {
    const ref = { tenant: 'demo', run: 999_999_999_999, kind: 'released' } as const;
    const id = newDeliveryId(ref, 'a'.repeat(63), 'b'.repeat(40));
    expect(id).toMatch(/^[A-Za-z0-9_-]{1,128}$/);
    expect(noticesOfId('demo', id)).toEqual(ref);
  });
});

describe('restoreNotices', () => {
  /** As whoever takes a release back does it. */
  async function takeBack(): Promise<readonly string[]> {
    const { told, writes } = await restoreNotices(desk.deps, 'demo', 184);
    await desk.release(184, { p: 2 }, told, { kind: 'restored' }, writes);
    return told;
  }

  it('names who was told, and spares the others', async () => {
    await desk.put('coil');
    const outcomes: Record<string, Attempt['outcome']> = { acme: 'delivered', bolt: 'acked' };
    desk.answer = (to) => ({ outcome: outcomes[to] ?? 'failed', detail: 'x' });
    await desk.release(184, { p: 1 }, ['acme', 'bolt', 'coil']);
    await desk.due();
    expect(await takeBack()).toEqual(['acme', 'bolt']);
    desk.answer = () => delivered;
    desk.at(hourMs);
    await desk.due();
    expect(await desk.statuses(184)).toEqual([
      'acme delivered',
      'bolt acked',
      'coil collapsed',
      'acme delivered',
      'bolt delivered',
    ]);
    const types = desk.sent.map(({ to, notice }) => `${to} ${notice.type}`);
    expect(types.slice(3).sort()).toEqual(['acme policy.restored', 'bolt policy.restored']);
    expect(await desk.index()).toEqual([]);
  });

  it('tells nobody of what nobody was told of', async () => {
    await desk.release(184, { p: 1 }, ['acme', 'bolt']);
    expect(await takeBack()).toEqual([]);
    await desk.due();
    expect(desk.sent).toEqual([]);
    expect(await desk.statuses(184)).toEqual(['acme collapsed', 'bolt collapsed']);
  });

  it('of a run without notices is nothing, and holds that against others', async () => {
    const { told, writes } = await restoreNotices(desk.deps, 'demo', 7);
    expect(told).toEqual([]);
    expect(writes).toMatchObject([{ kind: 'check', expect: 'absent' }]);
  });

  it('cannot miss an attempt that ends meanwhile', async () => {
    desk.answer = (to) => (to === 'acme' ? delivered : down);
    await desk.release(184, { p: 1 }, ['acme', 'bolt']);
    const early = await restoreNotices(desk.deps, 'demo', 184);
    await desk.due();
    expect(await desk.deps.records.commit(early.writes, 'early')).toBe('conflict');
    const late = await restoreNotices(desk.deps, 'demo', 184);
    expect(late.told).toEqual(['acme']);
  });

  it.each([
    ['ends well', delivered, 'acme delivered'],
    ['fails', down, 'acme collapsed'],
  ])('counts an attempt under way as told, which then %s', async (_, outcome, status) => {
    const answer = Promise.withResolvers<Attempt>();
    desk.answer = (__, nth) => (nth === 1 ? answer.promise : delivered);
    await desk.release(184, { p: 1 }, ['acme']);
    const sending = desk.run(184);
    while (desk.sent.length === 0) await setImmediate();
    expect(await takeBack()).toEqual(['acme']);
    answer.resolve(outcome);
    await sending;
    desk.at(5 * secondMs);
    await desk.due();
    expect(await desk.statuses(184)).toEqual([status, 'acme delivered']);
    expect(desk.sent.map(({ notice }) => notice.type)).toEqual([
      'policy.released',
      'policy.restored',
    ]);
  });

  it('counts as told whom a process that died may have told', async () => {
    const never = new Promise<Attempt>(() => undefined);
    desk.answer = () => never;
    await desk.release(184, { p: 1 }, ['acme', 'bolt']);
    void desk.run(184);
    while (desk.sent.length < 2) await setImmediate();
    desk.at(minuteMs);
    expect(await takeBack()).toEqual(['acme', 'bolt']);
    desk.answer = () => delivered;
    await desk.due();
    expect(await desk.statuses(184)).toEqual([
      'acme collapsed',
      'bolt collapsed',
      'acme delivered',
      'bolt delivered',
    ]);
  });
});
