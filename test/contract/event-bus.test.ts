import { inProcessBus } from '../../src/adapters/local/in-process-bus.ts';
import type { BusEvent } from '../../src/ports/event-bus.ts';
import { faultyBus } from '../support/faulty-bus.ts';
import { describeEventBus, type EventBusFixture } from './event-bus.suite.ts';

const make = async (): Promise<EventBusFixture> => {
  const bus = inProcessBus();
  const taken: BusEvent[] = [];
  bus.subscribe('*', (event) => void taken.push(event));
  return { bus, delivered: async () => taken };
};

describeEventBus('inProcessBus', make, { ordered: true });

describeEventBus(
  'faultyBus without faults',
  async () => {
    const fixture = await make();
    return { ...fixture, bus: faultyBus(fixture.bus, {}) };
  },
  { ordered: true },
);
