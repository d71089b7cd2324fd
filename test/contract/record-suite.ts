import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach } from 'vitest';
import type { RecordKey, RecordStore, RecordWrite } from '../../src/ports/record-store.ts';
import { ManualClock } from '../support/manual-clock.ts';

export interface RecordStoreFixture {
  readonly records: RecordStore;
  readonly close?: () => Promise<void> | void;
}

/** An adapter that takes its time from `clock`. What other tests wrote may still be there. */
export type MakeRecordStore = (deps: { clock: ManualClock }) => Promise<RecordStoreFixture>;

export interface RecordStoreSuiteOptions {
  /** Of each property, some 20 calls each. */
  readonly propertyRuns?: number;
}

/** What every test of the suite has at hand. The members are new for each test. */
export class RecordSuite {
  clock = new ManualClock();
  /** A partition of this test alone. */
  partition = '';
  #fixture: RecordStoreFixture | undefined;

  constructor(make: MakeRecordStore) {
    beforeEach(async () => {
      // Not in the past: a store that drops what has expired may go by a clock of its own.
      this.clock = new ManualClock(Date.now());
      this.partition = `suite/${randomUUID()}`;
      this.#fixture = await make({ clock: this.clock });
    });
    afterEach(async () => {
      await this.#fixture?.close?.();
      this.#fixture = undefined;
    });
  }

  get records(): RecordStore {
    if (this.#fixture === undefined) throw new Error('no test is running');
    return this.#fixture.records;
  }

  key(sort: string, partition = this.partition): RecordKey {
    return { partition, sort };
  }

  put(sort: string, value: unknown = sort, expect: 'absent' | number = 'absent'): RecordWrite {
    return { kind: 'put', key: this.key(sort), value, expect };
  }

  /** A commit with a token of its own. */
  async commit(...writes: readonly RecordWrite[]): Promise<'committed' | 'conflict'> {
    return await this.records.commit(writes, randomUUID());
  }

  /** The value and the rev, or undefined. */
  async read(sort: string): Promise<{ value: unknown; rev: number } | undefined> {
    const record = await this.records.get(this.key(sort));
    return record && { value: record.value, rev: record.rev };
  }

  /** The sorts of the partition, in order. */
  async sorts(): Promise<string[]> {
    const found = await this.records.query({ partition: this.partition, limit: 1000 });
    return found.map(({ key }) => key.sort);
  }

  async store(...sorts: readonly string[]): Promise<void> {
    for (let i = 0; i < sorts.length; i += 100) {
      await this.commit(...sorts.slice(i, i + 100).map((sort) => this.put(sort)));
    }
  }
}
