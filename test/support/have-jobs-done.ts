import { expect } from 'vitest';
import { claimOperations } from '../../src/contract/operations/claim-operations.ts';
import { jobOperations } from '../../src/contract/operations/job-operations.ts';
import { referenceOperations } from '../../src/contract/operations/reference-operations.ts';
import { workerOperations } from '../../src/contract/operations/worker-operations.ts';
import { makePdf } from './make-pdf.ts';
import type { ServiceClient } from './service-client.ts';

/** What a tenant has of jobs; the `job` is dead. */
export interface DoneJobs {
  readonly job: string;
  readonly case: string;
  readonly claim: string;
}

/**
 * Makes reference data, a case, a claim, and a job that has died: named by `name` and `id`, where
 * they can be named.
 */
export async function haveJobsDone(
  admin: ServiceClient,
  { id, name = '' }: { readonly id: string; readonly name?: string },
): Promise<DoneJobs> {
  await admin.call(referenceOperations.putReference, {
    params: { name },
    bytes: JSON.stringify({ type: 'FeatureCollection', features: [] }),
    contentType: 'application/geo+json',
  });
  const filed = await admin.call(claimOperations.fileClaim, {
    query: { title: id },
    bytes: makePdf(),
    contentType: 'application/pdf',
  });
  return {
    job: await haveJobDie(admin, id),
    case: await haveCaseOpened(admin),
    claim: filed.body.claim_id,
  };
}

async function haveJobDie(admin: ServiceClient, type: string): Promise<string> {
  const { body } = await admin.call(jobOperations.enqueueJob, { json: { type, data: null } });
  const leased = await admin.call(workerOperations.leaseJobs, {
    json: { types: [type], waitSeconds: 10 },
  });
  const [held] = leased.body.jobs;
  expect(held?.id).toBe(body.id);
  await admin.call(workerOperations.failJob, {
    params: { job: body.id },
    json: { lease: held?.lease, message: 'it was to die', final: true },
  });
  return body.id;
}

async function haveCaseOpened(admin: ServiceClient): Promise<string> {
  const data = { lat: 38.5, lon: -98.2, description: 'A hole.' };
  const enqueued = await admin.call(jobOperations.enqueueJob, {
    json: { type: 'pothole.report', data },
  });
  let opened = '';
  await expect
    .poll(
      async () => {
        const { body } = await admin.call(jobOperations.getJob, {
          params: { job: enqueued.body.id },
        });
        // Another run of this may have reported the same hole.
        opened = /CASE-\d+/.exec(JSON.stringify([body.result, body.error]))?.[0] ?? '';
        return body.status;
      },
      { timeout: 30_000, interval: 100 },
    )
    .toMatch(/completed|rejected/);
  return opened;
}
