import type { EventBus } from '../../src/ports/event-bus.ts';
import { injectFaults, type Faults } from './inject-faults.ts';

/** With `written-but-failed` every event was accepted, and the caller is not told. */
export function faultyBus<Bus extends EventBus>(bus: Bus, faults: Faults<'publish'>): Bus {
  return injectFaults(bus, { publish: true }, faults);
}
