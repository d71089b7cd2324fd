import type { CaseCell } from '../../../src/core/cases/case-cells.ts';
import { closeCaseWorker } from '../../../src/core/cases/close-case-worker.ts';
import { potholeWorker } from '../../../src/core/cases/pothole-worker.ts';
import { caseToClose, potholeReport } from '../../../src/contract/job-data-schemas.ts';
import type { GeoPlace } from '../../../src/core/geo/geo-place.ts';
import type { Worker } from '../../../src/core/jobs/define-worker.ts';
import { GatheringTransaction, type JobEmission } from '../../../src/core/jobs/job-transaction.ts';
import { referenceIndexes } from '../../../src/core/reference/reference-indexes.ts';
import { putReference } from '../../../src/core/reference/put-reference.ts';
import type { Json } from '../../../src/core/values/json.ts';
import { type CoreDeps, coreDeps } from '../../support/core-deps.ts';
import { bytesOf } from '../reference/geojson.ts';

export type Outcome =
  | {
      readonly kind: 'completed';
      readonly result: Json;
      readonly events: readonly JobEmission[];
      readonly progress: readonly string[];
    }
  | { readonly kind: 'rejected'; readonly validator: string; readonly reason: string };

/** An attempt that has done its work, and what to commit for it. */
export interface Attempt {
  readonly outcome: Outcome;
  readonly commit: () => Promise<'committed' | 'conflict'>;
}

/** Does jobs about cases as the machinery of jobs does, each step at the word of the test. */
export class CaseDesk {
  readonly deps: CoreDeps;
  readonly tenant: string;
  readonly #workers: ReadonlyMap<string, Worker>;
  #jobs = 0;

  constructor(deps: CoreDeps = coreDeps(), tenant = 'demo') {
    this.deps = deps;
    this.tenant = tenant;
    const references = referenceIndexes(deps);
    const workers = [
      potholeWorker({ schema: potholeReport, references, clock: deps.clock }),
      closeCaseWorker({ schema: caseToClose, clock: deps.clock }),
    ];
    this.#workers = new Map(workers.map((worker) => [worker.type, worker]));
  }

  /** Stores reference data. */
  async knows(name: string, document: Json): Promise<string> {
    const origin = { tenant: this.tenant, actor: 'ann', requestId: 'request-1' };
    const { reference } = await putReference(this.deps, origin, name, bytesOf(document));
    return reference.digest;
  }

  /** Does a job to its end: what conflicts begins anew. */
  async done(type: string, data: Json, subject = 'ravi'): Promise<Outcome> {
    const job = this.job(type, data, subject);
    for (;;) {
      const attempt = await job();
      if ((await attempt.commit()) === 'committed') return attempt.outcome;
    }
  }

  report(place: GeoPlace, more: Readonly<Record<string, Json>> = {}): Promise<Outcome> {
    return this.done('pothole.report', { ...place, description: 'deep hole', ...more });
  }

  /** A new job: each call is an attempt at it that is not committed. */
  job(type: string, data: Json, subject = 'ravi'): () => Promise<Attempt> {
    const worker = this.#workers.get(type);
    if (worker === undefined) throw new Error(`there is no worker for ${type}`);
    this.#jobs += 1;
    const described = {
      id: `job-${this.#jobs}`,
      number: this.#jobs,
      type,
      actor: 'portal',
      subject,
      createdAt: '2026-01-01T00:00:00.000Z',
      attempts: 1,
    };
    return async () => {
      const tx = new GatheringTransaction(this.deps);
      const parsed = await worker.schema['~standard'].validate(data);
      if (parsed.issues !== undefined) throw new Error(JSON.stringify(parsed.issues));
      const context = { tenant: this.tenant, job: described, data: parsed.value, tx };
      const progress: string[] = [];
      const commit = async () => {
        const writes = tx.writes();
        if (writes.length === 0) return 'committed';
        return await this.deps.records.commit(writes, this.deps.ids.next());
      };
      for (const validator of worker.validators ?? []) {
        const reason = await validator.check(context);
        if (reason === null) continue;
        return { outcome: { kind: 'rejected', validator: validator.name, reason }, commit };
      }
      const result = await worker.handler({
        ...context,
        signal: new AbortController().signal,
        progress: async (percent, note) => void progress.push(`${percent} ${note ?? ''}`),
      });
      const outcome: Outcome = { kind: 'completed', result, events: tx.emissions, progress };
      return { outcome, commit };
    };
  }
}

export function openIn(cell: CaseCell | undefined): readonly string[] {
  return (cell?.open ?? []).map(({ id }) => id);
}
