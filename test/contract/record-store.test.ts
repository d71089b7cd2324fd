import { afterAll } from 'vitest';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cachedRecords } from '../../src/adapters/local/cached-records.ts';
import { openSqliteRecords } from '../../src/adapters/local/sqlite-records.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { countingRecords } from '../support/counting-records.ts';
import { faultyRecords } from '../support/faulty-records.ts';
import { memoryRecords } from '../support/memory-records.ts';
import { describeRecordStore } from './record-store.suite.ts';

// One file for all tests, each in a partition of its own: opening one takes longer than a test.
let clock = new ManualClock();
const folder = await mkdtemp(join(tmpdir(), 'hms-records-'));
const sqlite = await openSqliteRecords({
  file: join(folder, 'hms.sqlite'),
  clock: { nowMs: () => clock.nowMs() },
});
afterAll(async () => {
  sqlite.close();
  await rm(folder, { recursive: true });
});

describeRecordStore(
  'sqliteRecords',
  async (deps) => {
    clock = deps.clock;
    return { records: sqlite };
  },
  { propertyRuns: 30 },
);

describeRecordStore(
  'cachedRecords on sqliteRecords',
  async (deps) => {
    clock = deps.clock;
    return { records: cachedRecords(sqlite, { maxBytes: 1_000_000, clock }) };
  },
  { propertyRuns: 30 },
);

describeRecordStore(
  'cachedRecords with room for few',
  async (deps) => ({
    records: cachedRecords(memoryRecords(deps.clock), { maxBytes: 1500, clock: deps.clock }),
  }),
  { propertyRuns: 50 },
);

describeRecordStore('memoryRecords', async (deps) => ({ records: memoryRecords(deps.clock) }), {
  propertyRuns: 50,
});

describeRecordStore('faultyRecords without faults', async (deps) => ({
  records: faultyRecords(memoryRecords(deps.clock), {}),
}));

describeRecordStore('countingRecords', async (deps) => ({
  records: countingRecords(memoryRecords(deps.clock)).port,
}));
