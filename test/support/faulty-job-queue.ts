import type { JobQueue } from '../../src/ports/job-queue.ts';
import { injectFaults, type Faults } from './inject-faults.ts';

const methods = { send: true, receive: true, hide: true, remove: true } as const;

/** `faultyJobQueue(queue, { send: ['none', 'written-but-failed'] })`: the second send fails. */
export function faultyJobQueue<Queue extends JobQueue>(
  queue: Queue,
  faults: Faults<keyof typeof methods>,
): Queue {
  return injectFaults(queue, methods, faults);
}
