import { expect } from 'vitest';
import { pollingSignal } from '../../../src/adapters/aws/polling-signal.ts';
import { finishAttempt } from '../../../src/core/jobs/finish-attempt.ts';
import { startAttempt } from '../../../src/core/jobs/start-attempt.ts';
import type { CoreDeps } from '../../support/core-deps.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { ApiDesk } from './api-desk.ts';
import type { Asked, Told } from './asked-app.ts';

/** A job as `POST /jobs/lease` gives it. */
export interface Leased {
  readonly id: string;
  readonly lease: string;
  readonly leaseUntil: string;
  readonly attempt: number;
}

/** Every wait there is one on its clock. */
export function deskWithTime(given: Partial<CoreDeps> = {}): ApiDesk {
  const clock = new ManualClock();
  return new ApiDesk({ clock, signal: pollingSignal({ clock }), ...given });
}

/** Enqueues a job, a `mail.send` unless told otherwise, and answers its id. */
export async function enqueued(
  desk: ApiDesk,
  more: object = {},
  asked: Asked = {},
): Promise<string> {
  const json = { type: 'mail.send', data: { to: 'ravi' }, ...more };
  return String((await desk.done('service', 'POST /jobs', { json, ...asked }))['id']);
}

/** Leases what is ready, of `mail.send` unless told otherwise. */
export async function leased(desk: ApiDesk, more: object = {}): Promise<readonly Leased[]> {
  const json = { types: ['mail.send'], ...more };
  return (await desk.done('service', 'POST /jobs/lease', { json }))['jobs'] as Leased[];
}

/** The one that is leased when one is asked for. */
export async function leasedOne(desk: ApiDesk, more: object = {}): Promise<Leased> {
  const [job] = await leased(desk, more);
  if (job === undefined) throw new Error('There is none.');
  return job;
}

/** Enqueues a job, and leases it. */
export async function taken(desk: ApiDesk, more: object = {}): Promise<Leased> {
  await enqueued(desk, more);
  return leasedOne(desk);
}

/** The call by which a worker reports on a job. */
export function to({ id }: Pick<Leased, 'id'>, verb: string): `POST /${string}` {
  return `POST /jobs/${id}/${verb}`;
}

export async function pageOf(desk: ApiDesk, { id }: Pick<Leased, 'id'>): Promise<Told['body']> {
  return desk.done('service', `GET /jobs/${id}`);
}

/** Makes a call with a lease that is over. */
export async function lost(desk: ApiDesk, call: `POST /${string}`, json: unknown): Promise<void> {
  const told = await desk.ask('service', call, { json });
  expect([told.status, told.body['code']]).toEqual([409, 'lease_lost']);
}

/** Brings a job to its death, as a worker of ours does that gives up. */
export async function dead(desk: ApiDesk, id: string): Promise<void> {
  const origin = { tenant: 'demo', actor: 'hms-svc', requestId: 'r' };
  const ref = { tenant: 'demo', id };
  const terms = { worker: 'w', leaseMs: 30_000, movesPlace: false, metricType: 'x' };
  const started = await startAttempt(desk.deps, origin, ref, terms);
  if (started.status !== 'started') throw new Error(started.status);
  const outcome = { kind: 'failed', code: 'no_use', message: 'no use', final: true } as const;
  const finish = { token: started.lease.token, retry: { baseMs: 1, maxMs: 1 }, metricType: 'x' };
  await finishAttempt(desk.deps, origin, ref, outcome, finish);
}
