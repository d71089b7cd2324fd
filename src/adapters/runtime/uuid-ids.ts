import { randomFillSync } from 'node:crypto';
import type { Clock } from '../../ports/clock.ts';
import type { Ids } from '../../ports/ids.ts';

const bytesPerId = 10;
const maxCounter = 0xfff;

/**
 * UUIDs of version 7 (https://www.rfc-editor.org/rfc/rfc9562#name-uuid-version-7): 62 bits of each
 * are random, and each sorts after all that this instance made before, also within one
 * millisecond (a counter in `rand_a`) and when the clock steps back (it stays at the latest time).
 */
export function uuidIds(clock: Pick<Clock, 'nowMs'>): Ids {
  const pool = Buffer.alloc(bytesPerId * 256);
  let used = pool.length;
  let lastMs = -1;
  let counter = 0;

  return {
    next() {
      if (used === pool.length) {
        randomFillSync(pool);
        used = 0;
      }
      const random = pool.subarray(used, used + bytesPerId);
      used += bytesPerId;

      const nowMs = clock.nowMs();
      if (nowMs > lastMs || counter === maxCounter) {
        lastMs = Math.max(nowMs, lastMs + 1);
        // From the lower half, so that at least 2048 more fit into the millisecond.
        counter = random.readUInt16BE(8) & 0x7ff;
      } else {
        counter++;
      }
      return format(lastMs, counter, random);
    },
  };
}

function format(ms: number, counter: number, random: Buffer): string {
  const time = ms.toString(16).padStart(12, '0');
  const variant = ((random.readUInt8(0) & 0x3f) | 0x80).toString(16);
  const tail = random.toString('hex', 1, 8);
  return (
    `${time.slice(0, 8)}-${time.slice(8)}-7${counter.toString(16).padStart(3, '0')}` +
    `-${variant}${tail.slice(0, 2)}-${tail.slice(2)}`
  );
}
