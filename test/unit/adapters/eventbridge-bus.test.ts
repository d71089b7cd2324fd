import {
  EventBridgeClient,
  InternalException,
  PutEventsCommand,
} from '@aws-sdk/client-eventbridge';
import type { PutEventsCommandInput, PutEventsResultEntry } from '@aws-sdk/client-eventbridge';
import { mockClient } from 'aws-sdk-client-mock';
import { assert, asyncProperty, integer, nat, array } from 'fast-check';
import { describe, expect, it } from 'vitest';

import { eventbridgeBus } from '../../../src/adapters/aws/eventbridge-bus.ts';
import { Unavailable } from '../../../src/core/errors/app-error.ts';
import type { BusEvent } from '../../../src/ports/event-bus.ts';

function eventOf(id: number, sizeBytes = 10): BusEvent {
  return {
    specversion: '1.0',
    id: String(id),
    source: 'hms/demo',
    type: 'policy.updated',
    subject: 'epa-pm25-limit',
    time: '2026-01-01T00:00:00.500Z',
    datacontenttype: 'application/json',
    data: 'x'.repeat(sizeBytes),
  };
}

const eventsOf = (count: number, sizeBytes?: number): BusEvent[] =>
  Array.from({ length: count }, (_, id) => eventOf(id, sizeBytes));

/**
 * A bus on a client whose n-th call refuses the entries at `refused[n]`; what it accepted, call by
 * call, by id; and how long the bus slept.
 */
function setUp(refused: readonly (readonly number[])[] = []) {
  const client = new EventBridgeClient({ region: 'us-east-1' });
  const mock = mockClient(client);
  const sleptMs: number[] = [];
  const sizes: number[] = [];
  const accepted: string[][] = [];
  mock.on(PutEventsCommand).callsFake(async ({ Entries = [] }: PutEventsCommandInput) => {
    const bad = refused[accepted.length] ?? [];
    sizes.push(Buffer.byteLength(JSON.stringify(Entries)));
    accepted.push(
      Entries.filter((_, i) => !bad.includes(i)).map(({ Detail = '' }) => idIn(Detail)),
    );
    const results = Entries.map((_, i): PutEventsResultEntry =>
      bad.includes(i) ? { ErrorCode: 'ThrottlingException' } : { EventId: String(i) },
    );
    return { FailedEntryCount: results.filter(({ EventId }) => !EventId).length, Entries: results };
  });
  const clock = { nowMs: () => 0, sleep: async (ms: number) => void sleptMs.push(ms) };
  return { mock, accepted, sizes, sleptMs, bus: eventbridgeBus({ client, bus: 'hms', clock }) };
}

function idIn(detail: string): string {
  const event: BusEvent = JSON.parse(detail);
  return event.id;
}

describe('publish', () => {
  it('sends the CloudEvent whole, and what rules select by beside it', async () => {
    const { mock, bus } = setUp();
    await bus.publish([eventOf(1)]);
    expect(mock.call(0).args[0].input).toEqual({
      Entries: [
        {
          EventBusName: 'hms',
          Source: 'hms/demo',
          DetailType: 'policy.updated',
          Detail: JSON.stringify(eventOf(1)),
          Time: new Date('2026-01-01T00:00:00.500Z'),
        },
      ],
    });
  });

  it('sends ten at a time, in order', async () => {
    const { accepted, sleptMs, bus } = setUp();
    await bus.publish(eventsOf(25));
    expect(accepted.map((ids) => ids.length)).toEqual([10, 10, 5]);
    expect(accepted.flat()).toEqual(eventsOf(25).map(({ id }) => id));
    expect(sleptMs).toEqual([0, 0, 0]);
  });

  it('keeps a call under 256 KB', async () => {
    const { accepted, sizes, bus } = setUp();
    await bus.publish([...eventsOf(3, 100_000), ...eventsOf(2, 200_000)]);
    expect(accepted.map((ids) => ids.length)).toEqual([2, 1, 1, 1]);
    expect(Math.max(...sizes)).toBeLessThan(256 * 1024);
  });

  it('sends again from the first entry that was refused on', async () => {
    const { accepted, sleptMs, bus } = setUp([[3, 7], [0]]);
    await bus.publish(eventsOf(12));
    expect(accepted).toEqual([
      ['0', '1', '2', '4', '5', '6', '8', '9'],
      ['4', '5', '6', '7', '8', '9', '10', '11'],
      ['3', '4', '5', '6', '7', '8', '9', '10', '11'],
    ]);
    expect(sleptMs[0]).toBe(0);
    expect(sleptMs[1]).toBeGreaterThan(0);
    expect(sleptMs[2]).toBeGreaterThan(0);
  });

  it('loses none and disorders none, whatever is refused', async () => {
    const refusals = array(array(nat(9), { maxLength: 3 }), { maxLength: 4 });
    await assert(
      asyncProperty(integer({ min: 1, max: 40 }), refusals, async (count, refused) => {
        const { accepted, bus } = setUp(refused);
        await bus.publish(eventsOf(count));
        // The last time that each was accepted: every earlier one is a repeat.
        const last = new Map(accepted.flat().map((id, place) => [id, place]));
        const places = eventsOf(count).map(({ id }) => last.get(id) ?? -1);
        expect(places).not.toContain(-1);
        expect(places).toEqual(places.toSorted((a, b) => a - b));
      }),
    );
  });

  it('gives up when the same entry is refused again and again', async () => {
    const { accepted, bus } = setUp([[1], ...Array.from({ length: 99 }, () => [0])]);
    const thrown: unknown = await bus.publish(eventsOf(3)).catch((error: unknown) => error);
    expect(thrown).toBeInstanceOf(Unavailable);
    expect(thrown).toMatchObject({ cause: { message: expect.stringContaining('Throttling') } });
    expect(accepted).toHaveLength(6);
  });

  it('throws Unavailable when the call fails', async () => {
    const { mock, bus } = setUp();
    const $metadata = { httpStatusCode: 500 };
    mock.on(PutEventsCommand).rejects(new InternalException({ message: 'no', $metadata }));
    await expect(bus.publish([eventOf(1)])).rejects.toThrow(Unavailable);
  });

  it('refuses no event, 101 of them, and one that is too big, before it sends any', async () => {
    const { mock, bus } = setUp();
    await expect(bus.publish([])).rejects.toThrow(RangeError);
    await expect(bus.publish(eventsOf(101))).rejects.toThrow(RangeError);
    await expect(bus.publish([eventOf(1), eventOf(2, 210_000)])).rejects.toThrow(RangeError);
    expect(mock.calls()).toHaveLength(0);
  });
});
