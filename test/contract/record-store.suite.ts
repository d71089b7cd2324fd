import { describe } from 'vitest';
import { describeRecordCommits } from './record-commits.suite.ts';
import { describeRecordExpiry } from './record-expiry.suite.ts';
import { describeRecordLimits } from './record-limits.suite.ts';
import { describeRecordModel } from './record-model.suite.ts';
import { describeRecordQueries } from './record-queries.suite.ts';
import { describeRecordRaces } from './record-races.suite.ts';
import { describeRecordReads } from './record-reads.suite.ts';
import { RecordSuite, type MakeRecordStore, type RecordStoreSuiteOptions } from './record-suite.ts';

/** What every RecordStore must do. Durability is tested per adapter: it takes a crash. */
export function describeRecordStore(
  name: string,
  make: MakeRecordStore,
  options: RecordStoreSuiteOptions = {},
): void {
  describe(`RecordStore: ${name}`, () => {
    const suite = new RecordSuite(make);
    describe('reads', () => describeRecordReads(suite));
    describe('commits', () => describeRecordCommits(suite));
    describe('races', () => describeRecordRaces(suite));
    describe('queries', () => describeRecordQueries(suite));
    describe('expiry', () => describeRecordExpiry(suite));
    describe('limits', () => describeRecordLimits(suite));
    describe('model', () => describeRecordModel(suite, options.propertyRuns ?? 8));
  });
}
