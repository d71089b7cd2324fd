import { setTimeout as delay } from 'node:timers/promises';
import { expect, it, onTestFinished } from 'vitest';
import { defineWorker } from '../../sdk/src/jobs/define-worker.ts';
import { enqueue } from '../../sdk/src/jobs/enqueue.ts';
import { runWorker, type WorkerEvent } from '../../sdk/src/jobs/run-worker.ts';
import { freePort } from '../support/free-port.ts';
import { localTokens } from '../support/local-service.ts';
import { uniqueId } from '../support/policy-documents.ts';
import { startLocalServer, temporaryFolder } from '../support/start-local-server.ts';
import { startScript } from '../support/start-script.ts';

const script = new URL('../support/sdk-work-until-killed.ts', import.meta.url);
const jobCount = 60;
/** That the killed process had in its hands, or that the killed server was about to hand out. */
const maxInHands = 4 + 2;

it('jobs are done once each, though a worker is killed and the service goes down', async () => {
  const place = { dataDir: temporaryFolder(), port: await freePort() };
  const server = await startLocalServer(place);
  const token = await localTokens(server)('demo-service');
  const connection = { baseUrl: server.baseUrl, auth: () => token };
  const type = uniqueId('letter');
  const jobs = await Promise.all(
    Array.from({ length: jobCount }, async (_, data) => enqueue({ type, data, connection })),
  );
  const done = Promise.all(jobs.map(async (job) => job.done()));

  const events: WorkerEvent[] = [];
  const handler = async () => {
    await delay(40);
    return 'by this process';
  };
  const other = await startScript(script, server.baseUrl, token, type);
  const worker = runWorker({
    workers: [defineWorker({ type, handler })],
    connection,
    concurrency: 2,
    leaseSeconds: 5,
    onEvent: (event) => void events.push(event),
  });
  onTestFinished(() => worker.close());
  await expect.poll(() => events.length, { interval: 10 }).toBeGreaterThan(4);
  await other.kill();
  await server.kill();
  const again = await startLocalServer(place);
  onTestFinished(() => again.kill());

  const results = await done;
  const pages = await Promise.all(jobs.map(async (job) => job.status()));
  expect(new Set(pages.map(({ status }) => status))).toEqual(new Set(['completed']));
  const completions = pages.map(({ history }) => history.filter(isCompletion).length);
  expect(new Set(completions)).toEqual(new Set([1]));
  // All others were done at the first attempt.
  const repeated = pages.filter(({ attempts }) => attempts > 1);
  expect(repeated.length).toBeLessThanOrEqual(maxInHands);
  expect(Math.max(...pages.map(({ attempts }) => attempts))).toBeLessThanOrEqual(2);
  expect(new Set(results)).toEqual(new Set(['by this process', 'by the other process']));
  // Whoever is at work here may have been told of an outage, and of no loss.
  const ends = new Set(events.map(({ kind }) => kind));
  expect([...ends].filter((kind) => kind === 'lost' || kind === 'failed')).toEqual([]);
}, 60_000);

function isCompletion({ status }: { readonly status: string }): boolean {
  return status === 'completed';
}
