import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { BusEvent, EventBus } from '../../src/ports/event-bus.ts';
import { expectDefect } from '../support/expect-defect.ts';

export interface EventBusFixture {
  readonly bus: EventBus;
  /** What one subscriber to everything was given, once it is at least `count` events, or after a while. */
  readonly delivered: (count: number) => Promise<readonly BusEvent[]>;
  readonly close?: () => Promise<void> | void;
}

export interface EventBusSuiteOptions {
  /** Whether delivery keeps the order of acceptance. EventBridge does not say so. */
  readonly ordered: boolean;
}

/** What every EventBus must do. What other tests published may still be delivered. */
export function describeEventBus(
  name: string,
  make: () => Promise<EventBusFixture>,
  options: EventBusSuiteOptions,
): void {
  describe(`EventBus: ${name}`, () => {
    let fixture: EventBusFixture;
    let source: string;

    beforeEach(async () => {
      fixture = await make();
      source = `/suite/${randomUUID()}`;
    });
    afterEach(async () => await fixture.close?.());

    const event = (id: string, change: Partial<BusEvent> = {}): BusEvent => ({
      specversion: '1.0',
      id,
      source,
      type: 'policy.updated',
      subject: 'epa-pm25-limit',
      time: '2024-06-10T18:30:00.123Z',
      datacontenttype: 'application/json',
      data: { id, channel: 'prod' },
      ...change,
    });
    const events = (count: number): BusEvent[] =>
      Array.from({ length: count }, (_, i) => event(`e${String(i).padStart(3, '0')}`));
    /** Of this test, in order where the bus keeps one. */
    const delivered = async (count: number): Promise<BusEvent[]> => {
      const found = (await fixture.delivered(count)).filter((one) => one.source === source);
      return options.ordered ? found : found.toSorted((a, b) => a.id.localeCompare(b.id));
    };

    it('delivers an event as it is', async () => {
      const data = { text: 'a😀\u0000\u2028"\\', list: [1, 0.1, null, { a: [] }], '': true };
      const sent = [
        event('1', { data, subject: 'ä/ö#1', type: 'case.opened' }),
        event('2', { data: 'text' }),
        event('3', { data: null }),
      ];
      await fixture.bus.publish(sent);
      expect(await delivered(3)).toEqual(sent);
    });

    it('delivers all of one call, in its order', async () => {
      await fixture.bus.publish(events(25));
      expect(await delivered(25)).toEqual(events(25));
    });

    it('takes 100 events', async () => {
      await fixture.bus.publish(events(100));
      expect(await delivered(100)).toEqual(events(100));
    });

    it('delivers one call after another in their order', async () => {
      for (const one of events(5)) await fixture.bus.publish([one]);
      expect(await delivered(5)).toEqual(events(5));
    });

    it('delivers a repeat again', async () => {
      await fixture.bus.publish([event('1')]);
      await fixture.bus.publish([event('1')]);
      const found = await delivered(2);
      expect(found.length).toBeGreaterThanOrEqual(1);
      expect(new Set(found.map(({ id }) => id))).toEqual(new Set(['1']));
    });

    it('takes events of 200 KiB, many in a call', async () => {
      const data = 'é'.repeat(102_000);
      const sent = events(10).map(({ id }) => event(id, { data }));
      await fixture.bus.publish(sent);
      const found = await delivered(10);
      expect(found.map((one) => [one.id, one.data === data])).toEqual(
        sent.map(({ id }) => [id, true]),
      );
    });

    it('refuses no event, 101, and one over 200 KiB, and accepts none of such a call', async () => {
      await expectDefect(() => fixture.bus.publish([]));
      await expectDefect(() => fixture.bus.publish(events(101)));
      const big = event('big', { data: 'é'.repeat(103_000) });
      await expectDefect(() => fixture.bus.publish([event('1'), big]));
      await fixture.bus.publish([event('2')]);
      expect(await delivered(1)).toEqual([event('2')]);
    });
  });
}
