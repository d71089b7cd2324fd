import type { BusEvent } from '../../ports/event-bus.ts';

const maxEvents = 100;
const maxEventBytes = 200 * 1024;

/**
 * The limits of the EventBus port, one and the same for every adapter. A breach is a defect of
 * the caller: `RangeError`, before any event is published.
 */
export function checkEvents(events: readonly BusEvent[]): void {
  if (events.length < 1 || events.length > maxEvents) {
    throw new RangeError(`publish takes 1 to ${maxEvents} events, not ${events.length}`);
  }
  for (const event of events) {
    if (Buffer.byteLength(JSON.stringify(event)) > maxEventBytes) {
      throw new RangeError(`an event has at most ${maxEventBytes} bytes as JSON`);
    }
  }
}
