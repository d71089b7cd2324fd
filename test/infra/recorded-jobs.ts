import { systemClock } from '../../src/adapters/runtime/system-clock.ts';
import type { Origin } from '../../src/core/journal/journal-entry.ts';
import { requireJob } from '../../src/core/jobs/change-job.ts';
import { enqueueJob, type NewJob } from '../../src/core/jobs/enqueue-job.ts';
import type { JobStatus } from '../../src/core/jobs/job-record.ts';
import { submitJob } from '../../src/core/jobs/submit-job.ts';
import { type TurnEnd, workOn } from '../../src/core/jobs/work-on.ts';
import { putReference } from '../../src/core/reference/put-reference.ts';
import { digestName, sha256Hex } from '../../src/core/packages/digest.ts';
import type { Json } from '../../src/core/values/json.ts';
import { makePdf } from '../support/make-pdf.ts';
import type { Clock } from '../../src/ports/clock.ts';
import type { RecordedDeps, RecordedPlatform } from './recorded-platform.ts';

const tenant = 'demo';

/** How many degrees of latitude a geohash cell of seven characters has. */
const cellDegrees = 180 / 2 ** 17;
let places = 0;

/** From a place of its own, 111 km from the next, and so near to another cell that it is read, too. */
export function potholeData(): { lat: number; lon: number; description: string } {
  places += 1;
  const border = Math.round((120 + places) / cellDegrees) * cellDegrees - 90;
  return { lat: border + 0.00001, lon: -77, description: 'deep' };
}

/** So large that the blob store has it, and no worker of ours takes it. */
export const largeData = { pad: 'x'.repeat(250_000) };

/** Jobs of one tenant, worked on by hand as Lambda has the worker functions do it. */
export class RecordedJobs {
  readonly deps: RecordedDeps;

  constructor(platform: RecordedPlatform) {
    this.deps = platform.deps().deps;
  }

  origin(): Origin {
    return { tenant, actor: 'ann', requestId: crypto.randomUUID() };
  }

  /** Stores reference data that the next report of a pothole is judged by. */
  async refer(): Promise<void> {
    const geometry = { type: 'Point', coordinates: [-77, 31] };
    const feature = { type: 'Feature', properties: { name: crypto.randomUUID() }, geometry };
    const document = { type: 'FeatureCollection', features: [feature] };
    const bytes = new TextEncoder().encode(JSON.stringify(document));
    await putReference(this.deps, this.origin(), 'hospitals', bytes);
  }

  async submit(type: string, data: Json, more: Partial<NewJob> = {}): Promise<string> {
    const { id } = await submitJob(this.deps, this.origin(), { ...newJob(type, data), ...more });
    return id;
  }

  /** Stored by a process that died before it gave the job its turn; unchecked, too. */
  async storeAndDie(type: string, data: Json): Promise<string> {
    const { id } = await enqueueJob(this.deps, this.origin(), newJob(type, data));
    return id;
  }

  /** Gives a job a turn, whatever it waits for. */
  async handOut(type: string, id: string): Promise<void> {
    await this.deps.queue.send([{ tenant, type, id, priority: 'normal', notBeforeMs: 0 }]);
  }

  /** Works on all that has its turn now, by the deps of the worker: Lambda takes turns and removes them. */
  async work(type: string, deps: RecordedDeps = this.deps): Promise<TurnEnd[]> {
    const worker = deps.workers.get(type);
    if (worker === undefined) throw new Error(`there is no worker for ${type}`);
    const queue = { ...deps.queue, remove: async () => undefined };
    // An attempt has the time that it has.
    const clock: Clock = {
      nowMs: () => deps.clock.nowMs(),
      sleep: (ms, signal) => systemClock.sleep(ms, signal),
    };
    const wish = { max: 10, hideMs: 60_000, waitMs: 0 };
    const ends: TurnEnd[] = [];
    for (;;) {
      const turns = await this.deps.queue.receive(type, wish);
      if (turns.length === 0) return ends;
      for (const turn of turns) {
        const end = await workOn({ ...deps, queue, clock }, worker, turn);
        if (end === 'ended') await this.deps.queue.remove(turn);
        ends.push(end);
      }
    }
  }

  async status(id: string): Promise<JobStatus> {
    return (await requireJob(this.deps, { tenant, id })).value.status;
  }

  /** Reports a pothole and works on it; answers the job and the case. */
  async openCase(): Promise<{ readonly id: string; readonly caseId: string }> {
    const id = await this.submit('pothole.report', potholeData());
    await this.work('pothole.report');
    const { result } = (await requireJob(this.deps, { tenant, id })).value;
    return { id, caseId: (result as { case: string }).case };
  }
}

function newJob(type: string, data: Json): NewJob {
  return {
    type,
    data,
    priority: 'normal',
    notBeforeMs: null,
    maxAttempts: 5,
    subject: 'ravi',
    idempotencyKey: null,
    reason: null,
  };
}

export interface Sent {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE' | 'OPTIONS';
  /** Of whoever calls. */
  readonly subject?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array<ArrayBuffer>;
  /** Else it must succeed. */
  readonly mayFail?: true;
}

/** Sends one call, and answers the body of its answer. */
export type RecordedCall = (operation: string, path: string, sent?: Sent) => Promise<string>;

const post = (body: object) => ({ method: 'POST', body: JSON.stringify(body) }) as const;

/** All that `manage-jobs` does: jobs of ours and of workers outside, cases, reference data. */
export async function jobScenario(call: RecordedCall, jobs: RecordedJobs): Promise<void> {
  const enqueue = async (type: string, data: object, headers: Record<string, string> = {}) => {
    const answer = await call('enqueueJob', '/jobs', { ...post({ type, data }), headers });
    return (JSON.parse(answer) as { id: string }).id;
  };
  await enqueue('pothole.report', potholeData(), { 'idempotency-key': '"a report"' });
  const large = await enqueue('letter.print', largeData);
  await call('getJob', `/jobs/${large}`);
  await call('getJobData', `/jobs/${large}/data`);
  await call('cancelJob', `/jobs/${large}`, { method: 'DELETE' });

  const completed = await enqueue('letter.print', { to: 'ravi' });
  const lease = async () => {
    const answer = await call('leaseJobs', '/jobs/lease', post({ types: ['letter.print'] }));
    const [leased] = (JSON.parse(answer) as { jobs: { id: string; lease: string }[] }).jobs;
    if (leased === undefined) throw new Error('there was no job to lease');
    return leased;
  };
  const first = await lease();
  const about = (id: string, what: string) => `/jobs/${id}/${what}`;
  const { lease: token } = first;
  await call(
    'heartbeatJob',
    about(completed, 'heartbeat'),
    post({ lease: token, leaseSeconds: 300 }),
  );
  await call('reportProgress', about(completed, 'progress'), post({ lease: token, percent: 50 }));
  await call(
    'completeJob',
    about(completed, 'complete'),
    post({ lease: token, result: { ok: true } }),
  );
  const dead = await enqueue('letter.print', { to: 'nobody' });
  const failure = { lease: (await lease()).lease, message: 'no address', final: true };
  await call('failJob', about(dead, 'fail'), post(failure));
  for (const status of ['queued', 'dead', 'completed']) {
    await call('listJobs', `/jobs?status=${status}`);
  }
  await call('retryJob', about(dead, 'retry'), { method: 'POST' });

  await call('publishEvent', '/events', post({ type: 'paid', data: { amount: 5 } }));

  const { caseId } = await jobs.openCase();
  await call('getCase', `/cases/${caseId}`);
  await call('findCases', '/cases?near=31,-77&radius=500');
  const geojson = { 'content-type': 'application/geo+json' };
  const body = JSON.stringify({ type: 'FeatureCollection', features: [] });
  await call('putReference', '/api/reference/schools', { method: 'PUT', headers: geojson, body });
  await call('getReference', '/api/reference/schools');
  await call('listReferences', '/api/reference');
}

/** All that `file-claims` does. */
export async function claimScenario(call: RecordedCall, jobs: RecordedJobs): Promise<void> {
  const bytes = makePdf();
  const pdf = { 'content-type': 'application/pdf', 'idempotency-key': '"a claim"' };
  const filed = async (headers: Record<string, string>, body: string | typeof bytes) => {
    const answer = await call('fileClaim', '/claims', { method: 'POST', headers, body });
    return (JSON.parse(answer) as { claim_id: string }).claim_id;
  };
  const claim = await filed(pdf, bytes);
  const uploaded = makePdf({ version: '2.0' });
  const digest = sha256Hex(uploaded);
  const wish = { sha256: digest, sizeBytes: uploaded.byteLength };
  await call('openUpload', '/claims/uploads', post(wish));
  await jobs.deps.blobs.put({ tenant, digest }, uploaded);
  await filed({}, JSON.stringify({ file: digestName(digest) }));
  await call('listClaims', '/claims');
  await call('getClaim', `/claims/${claim}`);
  await call('getClaimFile', `/claims/${claim}/file`);
}
