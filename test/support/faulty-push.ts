import type { ConnectionPoster } from '../../src/ports/connection-poster.ts';
import type { PushQueue } from '../../src/ports/push-queue.ts';
import { injectFaults, type Faults } from './inject-faults.ts';

/** `faultyPoster(poster, { post: ['none', 'written-but-failed'] })`: the second post fails. */
export function faultyPoster<Poster extends ConnectionPoster>(
  poster: Poster,
  faults: Faults<'post' | 'close'>,
): Poster {
  return injectFaults(poster, { post: true, close: true }, faults);
}

export function faultyPushQueue<Queue extends PushQueue>(
  queue: Queue,
  faults: Faults<'send'>,
): Queue {
  return injectFaults(queue, { send: true }, faults);
}
