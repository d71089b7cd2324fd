import { PutEventsCommand } from '@aws-sdk/client-eventbridge';
import type { EventBridgeClient, PutEventsRequestEntry } from '@aws-sdk/client-eventbridge';

import { Unavailable } from '../../core/errors/app-error.ts';
import type { Clock } from '../../ports/clock.ts';
import type { BusEvent, EventBus } from '../../ports/event-bus.ts';
import { checkEvents } from '../runtime/event-limits.ts';
import { awsError } from './aws-error.ts';
import { retryDelayMs } from './retry-delay.ts';

export interface EventbridgeBusOptions {
  readonly client: EventBridgeClient;
  /** Its name or ARN. */
  readonly bus: string;
  readonly clock: Clock;
}

interface SizedEntry {
  readonly entry: PutEventsRequestEntry;
  readonly sizeBytes: number;
}

const maxChunkEntries = 10;
const maxChunkBytes = 256 * 1024;
const maxFailures = 5;
/** What EventBridge counts for the time of an entry. */
const timeBytes = 14;

/**
 * An `EventBus` on EventBridge: `detail` is the whole CloudEvent, `detail-type` its `type`.
 *
 * When EventBridge refuses some entries of a call, all from the first of them on are sent again,
 * so that order holds and some are repeated.
 */
export function eventbridgeBus({ client, bus, clock }: EventbridgeBusOptions): EventBus {
  return {
    async publish(events) {
      checkEvents(events);
      const entries = events.map((event) => toEntry(bus, event));
      let next = 0;
      let failures = 0;
      while (next < entries.length) {
        await clock.sleep(retryDelayMs(failures));
        const chunk = chunkFrom(entries, next);
        const { accepted, cause } = await putEvents(client, chunk);
        next += accepted;
        if (accepted === chunk.length) failures = 0;
        else failures = accepted > 0 ? 1 : failures + 1;
        if (failures > maxFailures) throw unavailable(cause);
      }
    },
  };
}

function toEntry(bus: string, event: BusEvent): SizedEntry {
  const detail = JSON.stringify(event);
  const entry: PutEventsRequestEntry = {
    EventBusName: bus,
    Source: event.source,
    DetailType: event.type,
    Detail: detail,
    Time: new Date(event.time),
  };
  // https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-putevents.html
  return { entry, sizeBytes: Buffer.byteLength(detail + event.source + event.type) + timeBytes };
}

function chunkFrom(entries: readonly SizedEntry[], start: number): PutEventsRequestEntry[] {
  const chunk: PutEventsRequestEntry[] = [];
  let chunkBytes = 0;
  for (const { entry, sizeBytes } of entries.slice(start, start + maxChunkEntries)) {
    chunkBytes += sizeBytes;
    if (chunk.length > 0 && chunkBytes > maxChunkBytes) break;
    chunk.push(entry);
  }
  return chunk;
}

/** How many entries it took before the first that it refused, and why it refused that. */
async function putEvents(
  client: EventBridgeClient,
  chunk: PutEventsRequestEntry[],
): Promise<{ readonly accepted: number; readonly cause?: string | undefined }> {
  try {
    const { Entries = [], FailedEntryCount } = await client.send(
      new PutEventsCommand({ Entries: chunk }),
    );
    if (FailedEntryCount === 0) return { accepted: chunk.length };
    const refused = Entries.findIndex(({ ErrorCode }) => ErrorCode !== undefined);
    return { accepted: Math.max(refused, 0), cause: Entries[refused]?.ErrorCode };
  } catch (error) {
    throw awsError(error, 'The event bus');
  }
}

function unavailable(cause: string | undefined): Unavailable {
  return new Unavailable(
    'The event bus did not take all events. Try again.',
    new Error(`EventBridge refuses an entry: ${cause ?? 'no reason given'}`),
  );
}
