import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import { openSqliteRecords } from '../../src/adapters/local/sqlite-records.ts';
import { systemClock } from '../../src/adapters/runtime/system-clock.ts';
import { localJobJournals } from '../../src/compose/local-deps.ts';
import { caseOperations } from '../../src/contract/operations/case-operations.ts';
import { jobOperations } from '../../src/contract/operations/job-operations.ts';
import { jobEventsOf } from '../../src/core/jobs/job-events.ts';
import { jobJournal } from '../../src/core/jobs/job-keys.ts';
import type { JobRecord } from '../../src/core/jobs/job-record.ts';
import type { JournalEntry } from '../../src/core/journal/journal-entry.ts';
import { entriesAfter } from '../../src/core/journal/read-journal.ts';
import { assertJobsConsistent } from '../support/derive-jobs.ts';
import { localTokens } from '../support/local-service.ts';
import { MortalServer } from '../support/mortal-server.ts';
import { uniqueId } from '../support/policy-documents.ts';
import { serviceClient, type ServiceClient } from '../support/service-client.ts';
import { startLocalServer } from '../support/start-local-server.ts';
import { type RunningScript, startScript } from '../support/start-script.ts';

const { enqueueJob, listJobs } = jobOperations;
const workerScript = new URL('../support/work-until-killed.ts', import.meta.url);
const journal = jobJournal('demo', 0);

/** 10 000 in the acceptance of the product: `HMS_TEST_JOBS=10000 npx vitest run …/jobs-kill`. */
const { HMS_TEST_JOBS } = process.env;
/** Somebody wants to know how it went. */
const isAsked = HMS_TEST_JOBS !== undefined;
const jobCount = Number(HMS_TEST_JOBS ?? 2000);
const workers = 4;
const producers = 16;

describe('embedded: jobs whose workers are killed', () => {
  it(
    `does each of ${jobCount} once, with ${workers} processes of which one dies every second`,
    { timeout: 60_000 + jobCount * 10 },
    async () => {
      const server = await startLocalServer();
      const token = await localTokens(server)('demo-service');
      const client = serviceClient(server.baseUrl, token);
      const type = uniqueId('note');
      const startedMs = performance.now();
      const crew = await WorkerCrew.start(server.baseUrl, token, type);
      const ids = await enqueueAll(client, type);
      await untilEnded(client, [type]);
      const seconds = (performance.now() - startedMs) / 1000;
      await crew.end();
      await delay(500);
      expect(await server.stop()).toBe(0);

      const { jobs, entries } = await readAll(server.dataDir);
      expect(jobs.map(({ id }) => id)).toEqual([...ids].sort());
      const completions = entries.filter(({ action }) => action === 'job.completed');
      expect(completions).toHaveLength(jobCount);
      expect(notesOf(completions)).toEqual(range(jobCount));
      for (const job of jobs) {
        expect(job).toMatchObject({ status: 'completed', result: { note: job.data } });
      }
      // A worker that died before it heard of it may have completed a job, too.
      const acknowledged = crew.acknowledged.toSorted((a, b) => a - b);
      expect(acknowledged).toEqual([...new Set(acknowledged)]);
      expect(acknowledged.length).toBeLessThanOrEqual(jobCount);
      expect(acknowledged.length).toBeGreaterThan(jobCount - crew.kills * 5 - 1);
      const relayed = server.log().filter(({ msg }) => msg === 'events relayed');
      expectRelayed(entries, new Set(relayed.flatMap(({ events }) => events as string[])));
      const repeated = jobs.filter(({ attempts }) => attempts > 1).length;
      expect(crew.kills).toBeGreaterThan(2);
      expect(repeated).toBeGreaterThan(0);
      if (!isAsked) return;
      const most = Math.max(...jobs.map(({ attempts }) => attempts));
      const repeats = `${repeated} jobs begun again, ${most} times at most`;
      process.stdout.write(`${seconds.toFixed(1)} s, ${crew.kills} kills, ${repeats}\n`);
    },
  );
});

describe('embedded: jobs whose server is killed', () => {
  it(
    'are all done, each once, and nothing that was acknowledged is lost',
    { timeout: 120_000 },
    async () => {
      const mortal = new MortalServer();
      const { baseUrl } = await mortal.start();
      const token = await localTokens({ baseUrl, dataDir: mortal.dataDir })('demo-service');
      const client = serviceClient(baseUrl, token);
      const type = uniqueId('note');
      const outside = await Promise.all(
        [1, 2].map(async () => startScript(workerScript, baseUrl, token, type)),
      );
      onTestFinished(
        async () => void (await Promise.allSettled(outside.map((each) => each.kill()))),
      );

      const asked: Asked[] = [];
      const load = { isOver: false };
      const producing = Promise.all(range(4).map(async () => produce(client, type, asked, load)));
      for (let kills = 0; kills < 8; kills++) {
        await delay(150 + Math.random() * 500);
        await mortal.kill();
        await mortal.start();
      }
      load.isOver = true;
      await producing;
      await untilEnded(client, [type, 'pothole.report']);
      const acknowledged = await Promise.all(outside.map((each) => each.kill()));
      // The relay is a moment behind.
      await delay(500);
      const near = asked.filter(({ place }) => place !== null).map(({ place }) => place as number);
      const places = [...new Set(near)];
      const open = await Promise.all(places.map(async (place) => casesAt(client, place)));
      expect(open.every((count) => count === 1)).toBe(true);
      expect(await mortal.stop()).toBe(0);

      const { jobs, entries } = await readAll(mortal.dataDir);
      expect(jobs.map(({ id }) => id)).toEqual(asked.map(({ id }) => id).sort());
      const statuses = Object.groupBy(jobs, (job) => `${job.type} ${job.status}`);
      const notes = asked.filter(({ place }) => place === null).length;
      expect(Object.keys(statuses).sort()).toEqual([
        `${type} completed`,
        'pothole.report completed',
        'pothole.report rejected',
      ]);
      expect(statuses[`${type} completed`]).toHaveLength(notes);
      expect(statuses['pothole.report completed']).toHaveLength(places.length);
      const completions = entries.filter(({ action }) => action === 'job.completed');
      expect(completions).toHaveLength(notes + places.length);
      expect(notesOf(completions)).toEqual(range(notes));
      const heard = acknowledged.flatMap((lines) => lines.slice(1));
      expect(heard).toHaveLength(new Set(heard).size);
      expectRelayed(entries, mortal.relayed);
      expect(jobs.some(({ attempts }) => attempts > 1)).toBe(true);
    },
  );
});

/** Worker processes, of which one is killed every second and replaced. */
class WorkerCrew {
  readonly acknowledged: number[] = [];
  kills = 0;
  readonly #hire: () => Promise<RunningScript>;
  readonly #members: RunningScript[] = [];
  readonly #over = new AbortController();
  #killing: Promise<void> = Promise.resolve();

  private constructor(hire: () => Promise<RunningScript>) {
    this.#hire = hire;
  }

  static async start(...args: [baseUrl: string, token: string, type: string]): Promise<WorkerCrew> {
    const crew = new WorkerCrew(async () => startScript(workerScript, ...args));
    onTestFinished(() => crew.end());
    crew.#members.push(...(await Promise.all(range(workers).map(() => crew.#hire()))));
    crew.#killing = crew.#killOneEachSecond();
    return crew;
  }

  async #killOneEachSecond(): Promise<void> {
    const { signal } = this.#over;
    while (!signal.aborted) {
      await delay(1000, undefined, { signal }).catch(() => undefined);
      if (signal.aborted) return;
      await this.#dismiss();
      this.kills += 1;
      this.#members.push(await this.#hire());
    }
  }

  /** The one that is there the longest. */
  async #dismiss(): Promise<void> {
    const [, ...lines] = (await this.#members.shift()?.kill()) ?? [];
    this.acknowledged.push(...lines.map(Number));
  }

  async end(): Promise<void> {
    this.#over.abort();
    await this.#killing;
    while (this.#members.length > 0) await this.#dismiss();
  }
}

/** The data of each is its number. */
async function enqueueAll(client: ServiceClient, type: string): Promise<string[]> {
  const ids: string[] = [];
  let next = 0;
  async function produceSome(): Promise<void> {
    while (next < jobCount) {
      const json = { type, data: next++, maxAttempts: 25 };
      ids.push((await client.call(enqueueJob, { json })).body.id);
    }
  }
  await Promise.all(Array.from({ length: producers }, produceSome));
  return ids;
}

/** A job that the server said it has taken on. */
interface Asked {
  readonly id: string;
  /** Of a pothole; null for a note. */
  readonly place: number | null;
}

/** Notes for workers outside, and reports of potholes for those of the server: each pothole twice. */
async function produce(
  client: ServiceClient,
  type: string,
  asked: Asked[],
  load: { readonly isOver: boolean },
): Promise<void> {
  while (!load.isOver) {
    const note = { type, data: nextNote++, maxAttempts: 25 };
    asked.push({ id: await enqueueUntilAcknowledged(client, note), place: null });
    const place = nextPlace++;
    for (const _ of [1, 2]) {
      const data = { ...placeOf(place), description: `The hole ${place}` };
      const id = await enqueueUntilAcknowledged(client, { type: 'pothole.report', data });
      asked.push({ id, place });
    }
    await delay(Math.random() * 40);
  }
}

let nextNote = 0;
let nextPlace = 0;

/** A kilometre from each other. */
function placeOf(place: number) {
  return { lat: 40 + Math.floor(place / 100) / 100, lon: -100 + (place % 100) / 50 };
}

async function enqueueUntilAcknowledged(client: ServiceClient, json: object): Promise<string> {
  const headers = { 'idempotency-key': uniqueId('once') };
  for (;;) {
    try {
      return (await client.call(enqueueJob, { json, headers })).body.id;
    } catch (error) {
      // Nobody there, or nobody any more: what was asked may have been done.
      if (!(error instanceof TypeError)) throw error;
      await delay(20);
    }
  }
}

async function casesAt(client: ServiceClient, place: number): Promise<number> {
  const { lat, lon } = placeOf(place);
  const query = { near: `${lat.toFixed(4)},${lon.toFixed(4)}`, radius: 100 };
  return (await client.call(caseOperations.findCases, { query })).body.items.length;
}

async function untilEnded(client: ServiceClient, types: readonly string[]): Promise<void> {
  for (const type of types) {
    for (const status of ['queued', 'processing', 'failed']) {
      const open = async () => {
        const { body } = await client.call(listJobs, { query: { type, status, limit: 1 } });
        return body.items.length;
      };
      await expect.poll(open, { timeout: 60_000 + jobCount * 10, interval: 100 }).toBe(0);
    }
  }
}

async function readAll(
  dataDir: string,
): Promise<{ jobs: readonly JobRecord[]; entries: readonly JournalEntry[] }> {
  const file = join(dataDir, 'hms.sqlite');
  const records = await openSqliteRecords({ file, clock: systemClock });
  const jobs = await assertJobsConsistent(records, 'demo', localJobJournals);
  const entries: JournalEntry[] = [];
  for (;;) {
    const page = await entriesAfter({ records }, journal, entries.length - 1, 1000);
    entries.push(...page);
    if (page.length === 0) break;
  }
  records.close();
  return { jobs, entries };
}

/** What the workers outside wrote, by the events of their completions, in order. */
function notesOf(completions: readonly JournalEntry[]): number[] {
  const events = completions.flatMap(({ after }) => {
    const told = after as { readonly events?: readonly { readonly subject: string }[] };
    return told.events ?? [];
  });
  return events
    .filter(({ subject }) => subject.startsWith('NOTE-'))
    .map(({ subject }) => Number(subject.slice('NOTE-'.length)))
    .sort((a, b) => a - b);
}

/** Every event that the journal gives rise to was published. */
function expectRelayed(entries: readonly JournalEntry[], relayed: ReadonlySet<string>): void {
  const wanted = entries.flatMap((entry) => jobEventsOf(journal, entry));
  const names = wanted.map(({ type, id }) => `${type} ${id}`);
  expect(names.filter((name) => !relayed.has(name))).toEqual([]);
}

function range(length: number): number[] {
  return Array.from({ length }, (_, n) => n);
}
