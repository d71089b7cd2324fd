import { Unavailable } from '../../core/errors/app-error.ts';
import type { BusEvent, EventBus } from '../../ports/event-bus.ts';
import { checkEvents } from '../runtime/event-limits.ts';

type BusHandler = (event: BusEvent) => void | Promise<void>;

export interface InProcessBus extends EventBus {
  /** Hands over every later event of these types. Answers how to stop it. */
  subscribe(types: readonly string[] | '*', handler: BusHandler): () => void;
}

interface Subscription {
  readonly takes: (type: string) => boolean;
  readonly handler: BusHandler;
}

/**
 * An EventBus within this process: `publish` resolves when every subscriber, one after the other,
 * is done with every event. A subscriber that throws gets no more events of that call, so that it
 * never sees a later one before an earlier; the others get theirs, then `publish` throws.
 */
export function inProcessBus(): InProcessBus {
  const subscriptions = new Set<Subscription>();
  return {
    subscribe(types, handler) {
      const subscription = { takes: selector(types), handler };
      subscriptions.add(subscription);
      return () => void subscriptions.delete(subscription);
    },

    async publish(events) {
      checkEvents(events);
      const failures: unknown[] = [];
      const subscribed = [...subscriptions];
      for (const subscription of subscribed) {
        try {
          for (const event of events) {
            if (!subscriptions.has(subscription)) break;
            if (subscription.takes(event.type)) await subscription.handler(event);
          }
        } catch (error) {
          failures.push(error);
        }
      }
      if (failures.length > 0) {
        throw new Unavailable('A subscriber did not take an event.', new AggregateError(failures));
      }
    },
  };
}

function selector(types: readonly string[] | '*'): (type: string) => boolean {
  if (types === '*') return () => true;
  const wanted = new Set(types);
  return (type) => wanted.has(type);
}
