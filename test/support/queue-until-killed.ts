import { writeSync } from 'node:fs';
import { openSqliteJobQueue } from '../../src/adapters/local/sqlite-job-queue.ts';
import { systemClock } from '../../src/adapters/runtime/system-clock.ts';

/**
 * A process that sends jobs as fast as it can, and removes every second one. It prints what it is
 * about to do (`send 7`, `remove 7`) and what was acknowledged (`sent 7`, `removed 7`), and must be
 * killed.
 */
const [file = '', first = '1'] = process.argv.slice(2);
const queue = await openSqliteJobQueue({ file, clock: systemClock });
const wish = { max: 1, hideMs: 60_000, waitMs: 0 };
for (let n = Number(first); ; n++) {
  writeSync(1, `send ${n}\n`);
  const job = { tenant: 'demo', type: 't', id: String(n), notBeforeMs: systemClock.nowMs() };
  await queue.send([{ ...job, priority: 'normal' }]);
  writeSync(1, `sent ${n}\n`);
  if (n % 2 === 0) continue;
  const [turn] = await queue.receive('t', wish);
  if (turn === undefined) throw new Error('no job has its turn');
  writeSync(1, `remove ${turn.id}\n`);
  await queue.remove(turn);
  writeSync(1, `removed ${turn.id}\n`);
}
