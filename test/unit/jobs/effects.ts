import {
  type DataSchema,
  defineWorker,
  type HandlerContext,
  type Worker,
  type WorkerDefinition,
} from '../../../src/core/jobs/define-worker.ts';
import { getRecord, type KeyOf } from '../../../src/core/records.ts';
import type { Json } from '../../../src/core/values/json.ts';
import type { RecordStore } from '../../../src/ports/record-store.ts';
import { JobDesk } from '../../support/job-desk.ts';

/** Takes anything. */
export const anyData: DataSchema<Json> = {
  '~standard': { validate: (value) => ({ value: value as Json }) },
};

/** How often the effect of a job has happened. */
export function effectKey(tenant: string, id: string): KeyOf<number> {
  return { partition: `${tenant}#effects`, sort: id };
}

/** What a worker does where it does not matter what: counts once more that it was done. */
export async function countEffect({ tenant, job, tx }: HandlerContext<Json>): Promise<Json> {
  const key = effectKey(tenant, job.id);
  const before = (await tx.get(key)) ?? 0;
  await tx.put(key, before + 1);
  tx.emit({ type: 'effect.counted', subject: job.id, data: before + 1 });
  return { counted: before + 1 };
}

export function noteWorker(given: Partial<WorkerDefinition<Json>> = {}): Worker {
  return defineWorker<Json>({
    type: 'test.note',
    schema: anyData,
    handler: countEffect,
    retry: { maxAttempts: 3, baseMs: 1000, maxMs: 60_000 },
    ...given,
  });
}

export type Handler = (context: HandlerContext<Json>) => Promise<Json>;

/** A desk with one worker, of `test.note`. */
export function deskOf(handler: Handler, given: Parameters<typeof noteWorker>[0] = {}): JobDesk {
  return new JobDesk([noteWorker({ handler, ...given })]);
}

export async function effectsOf(records: RecordStore, tenant: string, id: string): Promise<number> {
  return (await getRecord({ records }, effectKey(tenant, id)))?.value ?? 0;
}
