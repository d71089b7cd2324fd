import { writeSync } from 'node:fs';
import { openSqliteRecords } from '../../src/adapters/local/sqlite-records.ts';
import { systemClock } from '../../src/adapters/runtime/system-clock.ts';

/**
 * A process that commits as fast as it can: a counter, and an entry for each of its values. It
 * prints each value once it is acknowledged, and must be killed.
 */
const [file = ''] = process.argv.slice(2);
const records = await openSqliteRecords({ file, clock: systemClock });
const counter = { partition: 'p', sort: 'counter' };
let rev = (await records.get(counter))?.rev ?? 0;
for (;;) {
  const entry = { partition: 'p', sort: `entry/${String(rev + 1).padStart(9, '0')}` };
  const answer = await records.commit(
    [
      { kind: 'put', key: counter, value: rev + 1, expect: rev || 'absent' },
      { kind: 'put', key: entry, value: 'x'.repeat(2000), expect: 'absent' },
    ],
    `token-${process.pid}-${rev}`,
  );
  if (answer !== 'committed') throw new Error(`rev ${rev + 1}: ${answer}`);
  rev++;
  writeSync(1, `${rev}\n`);
}
