import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import type { JournalEntry } from '../../src/core/journal/journal-entry.ts';
import {
  entryKey,
  headKey,
  journalPartition,
  relayCursorKey,
  journalsPartition,
} from '../../src/core/journal/journal-keys.ts';
import type { PlacedRule, StoredBody } from '../../src/core/policies/channel-record.ts';
import type { Canary } from '../../src/core/policies/canary.ts';
import { channels } from '../../src/core/policies/channel.ts';
import {
  bodyKey,
  channelHeadKey,
  channelSettingsKey,
  policyPartition,
  snapshotKey,
  summariesPartition,
  summaryKey,
  waitingPartition,
} from '../../src/core/policies/policy-keys.ts';
import type { BlobStore } from '../../src/ports/blob-store.ts';
import type { RecordStore, StoredRecord } from '../../src/ports/record-store.ts';
import {
  openRunsPartition,
  runCounterKey,
  runLanesKey,
  runsPartition,
  ticketsPartition,
} from '../../src/core/rollouts/run-keys.ts';
import { movedLanesOf } from '../../src/core/policies/policy-events.ts';
import { ofItsBody } from './derive-lanes.ts';
import { deriveRecords, nameOfKey, type RecordsByKey } from './derive-records.ts';
import { checkLeases, shownRecord } from './shown-record.ts';

export interface ConsistencyOptions {
  /** To check, too, that every package and large body is there, whole. */
  readonly blobs?: BlobStore;
  /** Policies to look at although neither the journal nor the list of policies names them. */
  readonly policies?: readonly string[];
}

/**
 * Throws unless what a tenant has is exactly what its journal tells: one entry for each index,
 * and from the entries alone the same channel records, timelines, summaries, channel heads,
 * channel settings, snapshots, attachments, waiting list, runs, their lanes and their tickets. Of
 * leases, which no entry tells of, that all records of a lane have the same. For any RecordStore,
 * while nobody writes. Answers the journal.
 */
export async function assertConsistent(
  records: RecordStore,
  tenant: string,
  { blobs, policies = [] }: ConsistencyOptions = {},
): Promise<readonly JournalEntry[]> {
  const entries = await checkedJournal(records, tenant);
  const expected = deriveRecords(tenant, entries);
  const held = new Held(records, tenant, blobs, triedIn(entries));
  const summaries = await held.takeAll(summariesPartition(tenant));
  for (const channel of channels) {
    await held.takeOne(channelHeadKey(tenant, channel));
    await held.takeOne(channelSettingsKey(tenant, channel));
    await held.takeOne(runLanesKey(tenant, channel));
  }
  await held.takeAll(waitingPartition, ({ value }) => isOf(tenant, value));
  await held.takeAll(openRunsPartition, ({ value }) => isOf(tenant, value));
  await held.takeOne(runCounterKey(tenant));
  await held.takeAll(runsPartition(tenant));
  await held.takeAll(ticketsPartition(tenant));
  const told = entries.map(({ subject }) => subject);
  for (const id of new Set([...summaries.map(({ key }) => key.sort), ...told, ...policies])) {
    await held.takePolicy(id);
  }
  checkLeases(tenant, held.records);
  assert.deepEqual(
    sorted(held.records).map(([name, value]) => [name, shownRecord(tenant, name, value)]),
    sorted(expected),
  );
  return entries;
}

async function checkedJournal(records: RecordStore, tenant: string): Promise<JournalEntry[]> {
  const found = await queryAll(records, journalPartition(tenant));
  const entries = found.map(({ value }) => value as unknown as JournalEntry);
  found.forEach(({ key, rev }, index) => {
    assert.deepEqual(key, { ...entryKey(tenant, index) }, `a gap before entry ${index}`);
    assert.equal(rev, 1, `entry ${index} was written twice`);
    assert.equal(entries[index]?.index, index, `entry ${index} has another index`);
    const earlier = entries[index - 1]?.at ?? '';
    assert.ok((entries[index]?.at ?? '') >= earlier, `entry ${index} is older than the one before`);
  });
  const ids = new Set(entries.map(({ commitId }) => commitId));
  assert.equal(ids.size, entries.length, 'two entries of one commit');

  const [head, tenants, cursor] = await records.getMany([
    headKey(tenant),
    { partition: journalsPartition, sort: tenant },
    relayCursorKey(tenant),
  ]);
  const last = entries.at(-1);
  const wanted = last === undefined ? undefined : { nextIndex: entries.length, at: last.at };
  assert.deepEqual(head?.value, wanted, 'the head of the journal');
  assert.equal(head?.rev ?? 0, entries.length, 'the head moved once for each entry');
  assert.equal(tenants !== undefined, last !== undefined, 'the list of tenants');
  const { nextIndex = 0 } = (cursor?.value ?? {}) as { nextIndex?: number };
  assert.ok(nextIndex <= entries.length, 'relayed what is not there');
  return entries;
}

/** What is there, in the shape that `deriveRecords` gives it. */
class Held {
  readonly records: RecordsByKey = {};
  readonly #store: RecordStore;
  readonly #tenant: string;
  readonly #blobs: BlobStore | undefined;
  readonly #tried: ReadonlySet<string>;

  /** `tried`: policies that have had a canary. */
  constructor(
    store: RecordStore,
    tenant: string,
    blobs: BlobStore | undefined,
    tried: ReadonlySet<string>,
  ) {
    this.#store = store;
    this.#tenant = tenant;
    this.#blobs = blobs;
    this.#tried = tried;
  }

  async takeAll(
    partition: string,
    wanted: (record: StoredRecord) => boolean = () => true,
  ): Promise<StoredRecord[]> {
    const found = (await queryAll(this.#store, partition)).filter(wanted);
    for (const { key, value } of found) this.records[nameOfKey(key)] = value;
    return found;
  }

  async takeOne(key: StoredRecord['key']): Promise<void> {
    const found = await this.#store.get(key);
    if (found !== undefined) this.records[nameOfKey(key)] = found.value;
  }

  async takePolicy(id: string): Promise<void> {
    const all = await queryAll(this.#store, policyPartition(this.#tenant, id));
    const digests = bodyDigests(all);
    for (const record of all) {
      const shown = await this.#shown(id, record);
      if (shown === undefined) continue;
      this.records[nameOfKey(record.key)] = withBodiesChecked(shown, digests);
    }
    const summary = nameOfKey(summaryKey(this.#tenant, id));
    if (!(summary in this.records)) return;
    this.records[summary] = withBodiesChecked(this.records[summary], digests);
  }

  /** Undefined for what no journal entry of these subjects tells of. */
  async #shown(id: string, record: StoredRecord): Promise<unknown> {
    const { key, value, rev } = record;
    switch (key.sort.slice(0, key.sort.indexOf('#'))) {
      case 'channel':
        return this.#channel(id, value as unknown as ChannelShape, rev);
      case 'snapshot':
        return this.#snapshot(value as unknown as SnapshotShape);
      case 'body':
        await this.#checkBody(id, value as unknown as StoredBody);
        return 'a body';
      case 'attachment':
        await this.#checkBlob((value as unknown as { digest: string }).digest);
        return value;
      case 'attached':
      case 'digest':
      case 'timeline':
      case 'version':
        return value;
      default:
        return undefined;
    }
  }

  async #channel(id: string, record: ChannelShape, rev: number): Promise<unknown> {
    // Who renews a lease writes the record, and leaves its gen.
    const isTried = record.canary !== undefined || this.#tried.has(id);
    if (isTried) assert.ok(rev >= record.gen, `${id}: gen is higher than its changes`);
    else assert.equal(rev, record.gen, `${id}: each change of a channel raises gen by one`);
    return {
      ...record,
      current: await this.#withoutBody(id, record.current),
      next: await this.#withoutBody(id, record.next),
      ...(record.canary === undefined ? {} : { canary: await this.#canary(id, record.canary) }),
    };
  }

  async #canary(id: string, canary: Canary<PlacedRule>): Promise<unknown> {
    const { rule, enforcedFromMs } = canary;
    const stored = await this.#store.get(snapshotKey(this.#tenant, id, rule.snapshot));
    assert.ok(stored, `${id}: its canary was never stored`);
    if (enforcedFromMs !== null) {
      const { effectiveAt } = stored.value as { effectiveAt: string | null };
      assert.equal(enforcedFromMs, Date.parse(effectiveAt ?? ''), `${id}: the time of its canary`);
    }
    return { ...canary, rule: await this.#withoutBody(id, rule) };
  }

  /** The body beside a rule is that of its snapshot. */
  async #withoutBody(id: string, rule: PlacedRule | null): Promise<unknown> {
    if (rule === null) return null;
    const { body, ...rest } = rule;
    const stored = await this.#store.get(bodyKey(this.#tenant, id, rule.snapshot));
    assert.deepEqual(body, stored?.value, `${id}: the body of ${rule.snapshot}`);
    if ('json' in body) {
      const { id: name, version } = JSON.parse(body.json) as { id: string; version: string };
      assert.deepEqual({ id: name, version }, { id, version: rule.version });
    }
    return rest;
  }

  async #snapshot({ snapshot, version, digest, bodyDigest, storedAt, storedBy }: SnapshotShape) {
    const minute = storedAt.replace(/^(.{10})T(..):(..):..\....Z$/, '$1-$2$3');
    assert.equal(snapshot, `v${minute}-${digest.slice(0, 8)}`, 'the id of a snapshot');
    await this.#checkBlob(digest);
    return { snapshot, version, digest, bodyDigest, storedBy };
  }

  async #checkBody(id: string, body: StoredBody): Promise<void> {
    if ('json' in body) assert.equal((JSON.parse(body.json) as { id: string }).id, id);
    else assert.equal((await this.#checkBlob(body.digest)) ?? body.sizeBytes, body.sizeBytes);
  }

  /** Its size, when there are blobs to look at. */
  async #checkBlob(digest: string): Promise<number | undefined> {
    if (this.#blobs === undefined) return undefined;
    const bytes = await this.#blobs.get({ tenant: this.#tenant, digest });
    assert.ok(bytes, `the blob ${digest} is missing`);
    assert.equal(createHash('sha256').update(bytes).digest('hex'), digest, 'a blob has changed');
    return bytes.byteLength;
  }
}

/** The digest of each body of a policy, by its snapshot. */
function bodyDigests(records: readonly StoredRecord[]): ReadonlyMap<string, string> {
  const bodies = records.filter(({ key }) => key.sort.startsWith('body#'));
  return new Map(
    bodies.map(({ key, value }) => {
      const body = value as unknown as StoredBody;
      const digest =
        'json' in body ? createHash('sha256').update(body.json).digest('hex') : body.digest;
      return [key.sort.slice('body#'.length), digest];
    }),
  );
}

/** The value, with each digest of a body, once it has been compared, in the words of the journal. */
function withBodiesChecked(value: unknown, digests: ReadonlyMap<string, string>): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map((each) => withBodiesChecked(each, digests));
  const shown = Object.entries(value).map(([key, inner]) => {
    if (key !== 'bodyDigest') return [key, withBodiesChecked(inner, digests)] as const;
    const { snapshot } = value as { snapshot: string };
    assert.equal(inner, digests.get(snapshot), `the digest of the body of ${snapshot}`);
    return [key, ofItsBody] as const;
  });
  return Object.fromEntries(shown);
}

/** The policies that have had a canary: its lease is renewed without an entry. */
function triedIn(entries: readonly JournalEntry[]): ReadonlySet<string> {
  const moved = entries
    .filter(({ action }) => action.startsWith('run.'))
    .flatMap((entry) => movedLanesOf(entry));
  return new Set(moved.filter(({ action }) => action === 'policy.canary').map(({ id }) => id));
}

interface ChannelShape {
  readonly gen: number;
  readonly current: PlacedRule | null;
  readonly next: PlacedRule | null;
  readonly canary?: Canary<PlacedRule>;
}

interface SnapshotShape {
  readonly snapshot: string;
  readonly version: string;
  readonly digest: string;
  readonly bodyDigest?: string;
  readonly storedAt: string;
  readonly storedBy: string;
}

function isOf(tenant: string, lane: unknown): boolean {
  return (lane as { tenant: string }).tenant === tenant;
}

async function queryAll(records: RecordStore, partition: string): Promise<StoredRecord[]> {
  const all: StoredRecord[] = [];
  for (;;) {
    const limit = 1000;
    const found = await records.query({ partition, after: all.at(-1)?.key.sort, limit });
    all.push(...found);
    if (found.length < limit) return all;
  }
}

/** In order of the keys, so that a difference is easy to read. */
function sorted(records: RecordsByKey): [string, unknown][] {
  return Object.entries(records).sort(([a], [b]) => (a < b ? -1 : 1));
}
