import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type * as z from 'zod';
import { openDiskBlobs } from '../../src/adapters/local/disk-blobs.ts';
import { openSqliteRecords } from '../../src/adapters/local/sqlite-records.ts';
import { systemClock } from '../../src/adapters/runtime/system-clock.ts';
import type { journalItem } from '../../src/contract/journal-schemas.ts';
import { changeOperations } from '../../src/contract/operations/change-operations.ts';
import { queryOperations } from '../../src/contract/operations/query-operations.ts';
import type { movement } from '../../src/contract/policy-schemas.ts';
import { readRule } from '../support/cast.ts';
import { assertConsistent } from '../support/consistency.ts';
import { localTokens } from '../support/local-service.ts';
import { MortalServer } from '../support/mortal-server.ts';
import { packageOf, ruleYaml, uniqueId } from '../support/policy-documents.ts';
import { serviceClient, type ServiceClient } from '../support/service-client.ts';
import { pages } from './lists.suite.ts';

type Movement = z.output<typeof movement>;

const publishes = 50;
const clients = 4;
const leastKills = 6;

/** A publish that the server said it has done. */
interface Acknowledged {
  readonly requestId: string;
  readonly movement: Movement;
}

describe('embedded: killed in the middle, again and again', () => {
  it(
    'loses nothing that it acknowledged, and tells of all of it',
    { timeout: 120_000 },
    async () => {
      const mortal = new MortalServer();
      const { baseUrl } = await mortal.start();
      const token = localTokens({ baseUrl, dataDir: mortal.dataDir });
      const editor = serviceClient(baseUrl, await token('demo-editor'));
      const auditor = serviceClient(baseUrl, await token('demo-auditor'));
      const acknowledged: Acknowledged[] = [];
      const work = publishAll(editor, acknowledged);

      let kills = 0;
      while (acknowledged.length < publishes || kills < leastKills) {
        await delay(30 + Math.random() * 250);
        await mortal.kill();
        kills += 1;
        await mortal.start();
        await expectKept(auditor, [...acknowledged]);
      }
      await work;
      const journal = await expectKept(auditor, acknowledged);
      expect(acknowledged.length).toBeGreaterThanOrEqual(publishes);

      const events = journal.map(({ index }) => `policy.updated demo/${index}/policy.updated`);
      await expect
        .poll(() => events.filter((event) => !mortal.relayed.has(event)), { timeout: 5000 })
        .toEqual([]);
      expect(mortal.relayed.size).toBe(events.length);
      expect(await mortal.stop()).toBe(0);

      const file = join(mortal.dataDir, 'hms.sqlite');
      const records = await openSqliteRecords({ file, clock: systemClock });
      const blobs = await openDiskBlobs({ root: join(mortal.dataDir, 'blobs') });
      const entries = await assertConsistent(records, 'demo', { blobs });
      expect(entries).toHaveLength(journal.length);
      records.close();
    },
  );
});

/** Each client publishes to policies of its own and to one of all, until there are enough. */
async function publishAll(editor: ServiceClient, acknowledged: Acknowledged[]): Promise<void> {
  const shared = uniqueId('shared');
  let next = 0;
  async function work(client: number): Promise<void> {
    const own = [uniqueId(`own-${client}`), uniqueId(`own-${client}`)];
    while (next < publishes) {
      const turn = next++;
      const id = turn % 2 === 0 ? shared : (own[turn % 4 === 1 ? 0 : 1] ?? '');
      const bytes = packageOf(ruleYaml(id, { turn, text: 'x'.repeat(turn * 100) }));
      acknowledged.push(await publishUntilAcknowledged(editor, id, bytes));
      await delay(Math.random() * 60);
    }
  }
  await Promise.all(Array.from({ length: clients }, (_, client) => work(client)));
}

async function publishUntilAcknowledged(
  editor: ServiceClient,
  id: string,
  bytes: Uint8Array,
): Promise<Acknowledged> {
  for (;;) {
    const requestId = uniqueId('publish');
    const input = {
      params: { id },
      headers: { 'x-channel': 'prod', 'x-request-id': requestId },
      bytes,
      contentType: 'application/zip',
    };
    try {
      const { body } = await editor.call(changeOperations.publishPolicy, input);
      return { requestId, movement: body };
    } catch (error) {
      // Nobody there, or nobody any more: what was asked may have been done.
      if (!(error instanceof TypeError)) throw error;
      await delay(20);
    }
  }
}

/** Every acknowledged publish is there, and the journal has no gap and no double. */
async function expectKept(auditor: ServiceClient, acknowledged: readonly Acknowledged[]) {
  const journal = await pages((page) =>
    auditor.call(queryOperations.getAudit, { query: { limit: 200, ...page } }),
  );
  expect(journal.map(({ index }) => index)).toEqual(journal.map((_, i) => i));
  const byRequest = Map.groupBy(journal, ({ requestId }) => requestId);
  expect([...byRequest.values()].filter((entries) => entries.length > 1)).toEqual([]);
  for (const { requestId, movement } of acknowledged) {
    const entry = byRequest.get(requestId)?.[0];
    // `unchanged`: a try before, whose answer was lost, had done it.
    if (movement.status === 'unchanged') expect(entry).toBeUndefined();
    else expect(entry?.index, requestId).toBe(movement.index);
    expectJournaled(journal, movement);
  }
  const latest = new Map(acknowledged.map(({ movement }) => [movement.id, movement]));
  for (const { id, gen } of latest.values()) {
    const rule = await readRule(auditor, id);
    // Others may have published again by now: then it is a later one.
    const inForce = rule.headers.get('etag') ?? '';
    const after = await auditor.call(queryOperations.getHistory, { params: { id } });
    const since = after.body.items.filter((item) => item.gen >= gen);
    expect(since.map(({ snapshot }) => `"${snapshot}"`)).toContain(inForce);
  }
  for (const { movement } of acknowledged.slice(-10)) {
    const params = { id: movement.id, snapshot: movement.snapshot };
    const headers = { accept: 'application/zip' };
    const given = await auditor.call(queryOperations.getSnapshot, { params, headers });
    expect(given.headers.get('x-package-digest')).toBe(movement.digest);
  }
  return journal;
}

function expectJournaled(
  journal: readonly z.output<typeof journalItem>[],
  { id, snapshot, gen }: Movement,
): void {
  const told = journal.some(({ subject, after }) => {
    const lane = after as { snapshot?: string; gen?: number } | null;
    return subject === id && lane?.snapshot === snapshot && lane.gen === gen;
  });
  expect(told, `${id} ${snapshot} at gen ${gen}`).toBe(true);
}
