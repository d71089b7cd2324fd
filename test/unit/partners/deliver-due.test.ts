import { setImmediate } from 'node:timers/promises';
import { beforeEach, describe, expect, it } from 'vitest';
import { deliverDue, deliverRun, keepDelivering } from '../../../src/core/partners/deliver-due.ts';
import { deliveryWrites } from '../../../src/core/partners/delivery-writes.ts';
import { deletePartner } from '../../../src/core/partners/partners.ts';
import type { Attempt } from '../../../src/ports/partner-transport.ts';
import { Unavailable } from '../../../src/core/errors/app-error.ts';
import { countingRecords } from '../../support/counting-records.ts';
import { faultyRecords } from '../../support/faulty-records.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import {
  delivered,
  down,
  hourMs,
  minuteMs,
  PartnerDesk,
  scheduleMs,
  secondMs,
  secret,
  startMs,
} from './partner-desk.ts';

describe('deliverRun and deliverDue', () => {
  let desk: PartnerDesk;
  beforeEach(async () => {
    desk = new PartnerDesk();
    await desk.put('acme');
  });

  it('gives a partner that was down for five attempts its notice at the sixth, once', async () => {
    desk.answer = (_, nth) => (nth <= 5 ? down : delivered);
    await desk.release(184, { p: 1 }, ['acme']);
    for (const [place, atMs] of scheduleMs.slice(0, 6).entries()) {
      desk.at(atMs - 1);
      if (place > 0) await desk.due();
      expect(desk.sent).toHaveLength(place);
      desk.at(atMs);
      expect(await desk.due()).toBe(1);
      expect(desk.sent).toHaveLength(place + 1);
    }
    expect(desk.sent.map(({ atMs }) => atMs)).toEqual(scheduleMs.slice(0, 6));
    desk.at(48 * hourMs);
    expect(await desk.due()).toBe(0);
    expect(await desk.run(184)).toEqual({ open: 0, nextAttemptAtMs: null });
    expect(desk.sent).toHaveLength(6);
    const [delivery] = await desk.list(184);
    expect(delivery).toMatchObject({ status: 'delivered', nextAttemptAt: null, kind: 'released' });
    expect(delivery?.attempts.map(({ outcome }) => outcome)).toEqual([
      ...Array(5).fill('failed'),
      'delivered',
    ]);
    expect(new Set(desk.sent.map(({ notice: { id, body } }) => id + body)).size).toBe(1);
  });

  it('signs with the secret, and tells when the attempt was made', async () => {
    desk.answer = (_, nth) => (nth === 1 ? down : delivered);
    await desk.release(184, { p: 1 }, ['acme']);
    await desk.due();
    desk.at(9 * secondMs);
    await desk.due();
    expect(desk.sent).toMatchObject([
      { to: 'acme', secret, notice: { timestampS: startMs / 1000 } },
      { to: 'acme', secret, notice: { timestampS: startMs / 1000 + 9 } },
    ]);
  });

  it('tells what a run waits for', async () => {
    await desk.put('bolt');
    desk.answer = (to) => (to === 'bolt' ? down : delivered);
    await desk.release(184, { p: 1 }, ['acme', 'bolt']);
    expect(await desk.run(184)).toEqual({ open: 1, nextAttemptAtMs: startMs + 5 * secondMs });
    expect(await desk.statuses(184)).toEqual(['acme delivered', 'bolt retrying']);
    // Nothing to do: nothing is done.
    expect(await desk.run(184)).toEqual({ open: 1, nextAttemptAtMs: startMs + 5 * secondMs });
    expect(desk.sent).toHaveLength(2);
    expect(await desk.run(185)).toEqual({ open: 0, nextAttemptAtMs: null });
  });

  it('gives up after the eighth attempt, and says so in the journal', async () => {
    desk.answer = () => down;
    await desk.release(184, { p: 1 }, ['acme']);
    let next: number | null = startMs;
    while (next !== null) {
      desk.deps.clock.set(next);
      next = (await desk.run(184)).nextAttemptAtMs;
    }
    expect(desk.sent.map(({ atMs }) => atMs)).toEqual(scheduleMs);
    expect(scheduleMs.at(-1)).toBeLessThan(24 * hourMs);
    expect(await desk.statuses(184)).toEqual(['acme exhausted']);
    expect(await desk.told()).toMatchObject([
      {
        action: 'delivery.exhausted',
        subject: 'run:184',
        actor: 'hms-svc',
        before: { partner: 'acme', status: 'retrying' },
        after: { partner: 'acme', status: 'exhausted', id: desk.sent[0]?.notice.id },
        reason: down.detail,
      },
    ]);
    expect(await desk.index()).toEqual([]);
  });

  it('makes no attempt after the deadline, however late it comes', async () => {
    await desk.release(184, { p: 1 }, ['acme']);
    desk.at(24 * hourMs + 1);
    await desk.due();
    expect(desk.sent).toEqual([]);
    expect(await desk.statuses(184)).toEqual(['acme exhausted']);
    expect(await desk.told()).toHaveLength(1);
  });

  it('still makes one at the deadline, and plans none beyond it', async () => {
    desk.answer = () => down;
    await desk.release(184, { p: 1 }, ['acme']);
    desk.at(24 * hourMs);
    await desk.due();
    expect(desk.sent).toHaveLength(1);
    expect(await desk.statuses(184)).toEqual(['acme exhausted']);
  });

  it.each(['delivered', 'acked', 'gone'] as const)('ends with %s', async (outcome) => {
    desk.answer = () => ({ outcome, detail: 'HTTP 200' });
    await desk.release(184, { p: 1 }, ['acme']);
    await desk.due();
    desk.at(48 * hourMs);
    await desk.due();
    expect(desk.sent).toHaveLength(1);
    expect(await desk.statuses(184)).toEqual([`acme ${outcome}`]);
    expect((await desk.told()).map(({ action }) => action)).toEqual([`delivery.${outcome}`]);
    expect(await desk.index()).toEqual([]);
  });

  it('sends nothing to a partner that was deleted', async () => {
    desk.answer = () => down;
    await desk.release(184, { p: 1 }, ['acme', 'nobody']);
    await desk.due();
    expect(await desk.statuses(184)).toEqual(['acme retrying', 'nobody gone']);
    await deletePartner(desk.deps, desk.origin(), 'acme');
    desk.at(5 * secondMs);
    await desk.due();
    expect(desk.sent).toHaveLength(1);
    expect(await desk.statuses(184)).toEqual(['acme gone', 'nobody gone']);
  });

  it('makes an attempt once, whoever else is at it', async () => {
    const names = Array.from({ length: 20 }, (_, i) => `p${i}`);
    await desk.put(...names);
    desk.answer = async (to) => {
      await setImmediate();
      return Number(to.slice(1)) % 2 === 0 ? down : delivered;
    };
    await desk.release(184, { p: 1 }, names);
    await Promise.all([desk.due(), desk.run(184), desk.due(), desk.run(184)]);
    expect(desk.sent.map(({ to }) => to).sort()).toEqual(names.toSorted());
    desk.at(5 * secondMs);
    await Promise.all([desk.run(184), desk.run(184), desk.due()]);
    expect(desk.sent).toHaveLength(30);
    expect(await desk.told()).toHaveLength(10);
    expect(await desk.index()).toEqual(await desk.expectedIndex());
  });

  it('counts an attempt under way as one to wait for', async () => {
    const answer = Promise.withResolvers<Attempt>();
    desk.answer = () => answer.promise;
    await desk.release(184, { p: 1 }, ['acme']);
    const first = desk.run(184);
    while (desk.sent.length === 0) await setImmediate();
    expect(await desk.run(184)).toEqual({ open: 1, nextAttemptAtMs: startMs + 5 * secondMs });
    answer.resolve(delivered);
    expect(await first).toEqual({ open: 0, nextAttemptAtMs: null });
    expect(desk.sent).toHaveLength(1);
  });

  it('drops an outcome that comes after somebody had to send it again', async () => {
    const answer = Promise.withResolvers<Attempt>();
    desk.answer = (_, nth) => (nth === 1 ? answer.promise : delivered);
    await desk.release(184, { p: 1 }, ['acme']);
    const first = desk.run(184);
    while (desk.sent.length === 0) await setImmediate();
    desk.at(minuteMs);
    expect((await desk.run(184)).open).toBe(0);
    answer.resolve(down);
    await first;
    const [delivery] = await desk.list(184);
    expect(delivery).toMatchObject({ status: 'delivered', attempts: [delivered] });
    expect(await desk.told()).toHaveLength(1);
  });

  it('does not charge a partner for what fails on our side', async () => {
    await desk.put('bolt');
    const get = desk.deps.secrets.get.bind(desk.deps.secrets);
    let isDown = true;
    const secrets: typeof desk.deps.secrets = {
      ...desk.deps.secrets,
      get: async (ref) => {
        if (isDown && ref.name === 'partner/acme') throw new Unavailable('no secrets now');
        return get(ref);
      },
    };
    const deps = { ...desk.deps, secrets };
    await desk.release(184, { p: 1 }, ['acme', 'bolt']);
    await expect(deliverDue(deps)).rejects.toThrow('no secrets now');
    expect(await desk.statuses(184)).toEqual(['acme pending', 'bolt delivered']);
    isDown = false;
    await deliverDue(deps);
    expect(desk.sent.map(({ to }) => to)).toEqual(['bolt', 'acme']);
  });

  it('takes a defect of a transport for an attempt that failed', async () => {
    desk.answer = () => {
      throw new TypeError('a defect');
    };
    await desk.release(184, { p: 1 }, ['acme']);
    expect((await desk.run(184)).nextAttemptAtMs).toBe(startMs + 5 * secondMs);
    expect(desk.deps.log.lines).toMatchObject([
      { level: 'error', msg: 'delivery broke', partner: 'acme' },
      { level: 'info', msg: 'delivery attempted', outcome: 'failed' },
    ]);
  });

  it('makes each attempt in a trace of its own, which the log names', async () => {
    await desk.put('bolt');
    await desk.release(184, { p: 1 }, ['acme', 'bolt']);
    await desk.due();
    const sent = desk.sent.map(({ notice }) => notice.traceparent?.split('-')[1]);
    expect(new Set(sent).size).toBe(2);
    const logged = desk.deps.log.lines.map(({ traceId }) => traceId);
    expect(new Set(logged)).toEqual(new Set(sent));
  });

  it('keeps what a transport says to one line of 300 characters', async () => {
    desk.answer = () => ({ outcome: 'failed', detail: `a\r\nb\u2028${'c'.repeat(400)}` });
    await desk.release(184, { p: 1 }, ['acme']);
    await desk.due();
    const detail = (await desk.list(184))[0]?.attempts[0]?.detail;
    expect(detail).toBe(`a b ${'c'.repeat(296)}`);
  });

  it('does more than one batch, and the others when a whole one fails', async () => {
    for (let run = 1; run <= 230; run++) await desk.release(run, { [`p${run}`]: 1 }, ['acme']);
    const records = faultyRecords(desk.deps.records, ({ method, args }) => {
      const { sort = '' } = (args[0] ?? {}) as { sort?: string };
      const isNotices = method === 'get' && sort.endsWith('#released');
      return isNotices && sort < '000000000101' ? 'not-written' : undefined;
    });
    await expect(deliverDue({ ...desk.deps, records })).rejects.toBeInstanceOf(Unavailable);
    expect(desk.sent).toHaveLength(130);
    expect(await desk.due()).toBe(100);
    expect(desk.sent).toHaveLength(230);
  });

  it('serves every tenant, with its own partners and secrets', async () => {
    const other = new PartnerDesk(desk.deps, 'other');
    await other.release(184, { p: 1 }, ['acme']);
    await desk.release(184, { p: 1 }, ['acme']);
    await desk.due();
    expect(await other.statuses(184)).toEqual(['acme gone']);
    expect(await desk.statuses(184)).toEqual(['acme delivered']);
    await other.put('acme');
    await other.release(185, { p: 1 }, ['acme']);
    await other.run(185);
    const ids = desk.sent.map(({ notice }) => notice.id);
    expect(new Set(ids).size).toBe(2);
  });

  it('costs a release two writes, and a run nothing to look when nothing is due', async () => {
    const names = Array.from({ length: 20 }, (_, i) => `p${i}`);
    const at = new Date(startMs).toISOString();
    const ref = { tenant: 'demo', run: 1, kind: 'released', channel: 'prod' } as const;
    const notices = { ...ref, policies: [], partners: names, reason: null, at };
    expect(deliveryWrites(desk.deps, notices)).toHaveLength(2);
    expect(deliveryWrites(desk.deps, { ...notices, partners: [] })).toEqual([]);
    const twice = deliveryWrites(desk.deps, { ...notices, partners: ['a', 'a'] });
    expect(twice[0]).toMatchObject({ value: { deliveries: [{ partner: 'a' }] } });
    const tooMany = { ...notices, partners: [...names, 'p20'] };
    expect(() => deliveryWrites(desk.deps, tooMany)).toThrow(RangeError);

    await desk.release(184, { p: 1 }, ['acme']);
    desk.answer = () => down;
    await desk.due();
    const { port: records, calls } = countingRecords(desk.deps.records);
    await deliverDue({ ...desk.deps, records });
    expect(calls).toEqual({ get: 0, getMany: 0, query: 1, commit: 0 });
    await deliverRun({ ...desk.deps, records }, 'demo', 184);
    expect(calls).toEqual({ get: 2, getMany: 1, query: 1, commit: 0 });
  });
});

describe('keepDelivering', () => {
  it('looks every second, goes on after a failure, and ends when told to', async () => {
    const clock = new ManualClock(startMs);
    const desk = new PartnerDesk({ clock });
    await desk.put('acme');
    await desk.release(184, { p: 1 }, ['acme']);
    desk.answer = (_, nth) => (nth === 1 ? down : delivered);
    const lookedAtMs: number[] = [];
    const records = faultyRecords(desk.deps.records, ({ method, args }) => {
      const { partition } = (args[0] ?? {}) as { partition?: string };
      if (method !== 'query' || partition !== '#deliveries') return undefined;
      lookedAtMs.push(clock.nowMs() - startMs);
      return lookedAtMs.length === 2 ? 'not-written' : undefined;
    });
    const stop = new AbortController();
    const running = keepDelivering({ ...desk.deps, records }, stop.signal);
    await clock.advance(6 * secondMs);
    expect(lookedAtMs).toEqual([0, 1, 2, 3, 4, 5, 6].map((s) => s * secondMs));
    expect(desk.sent.map(({ atMs }) => atMs)).toEqual([0, 5 * secondMs]);
    const errors = desk.deps.log.lines.filter(({ level }) => level === 'error');
    expect(errors).toMatchObject([{ msg: 'delivering failed' }]);
    stop.abort();
    await running;
    await clock.advance(3 * secondMs);
    expect(lookedAtMs).toHaveLength(7);
  });
});
