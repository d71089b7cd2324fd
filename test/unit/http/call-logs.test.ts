import { describe, expect, it } from 'vitest';
import { Unavailable } from '../../../src/core/errors/app-error.ts';
import { createApp } from '../../../src/http/app.ts';
import { changeRoutes } from '../../../src/http/handlers/change-handlers.ts';
import { getRecord } from '../../../src/core/records.ts';
import { jobKey } from '../../../src/core/jobs/job-keys.ts';
import { faultyRecords } from '../../support/faulty-records.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { memoryRecords } from '../../support/memory-records.ts';
import { ruleYaml } from '../../support/policy-documents.ts';
import { ApiDesk } from './api-desk.ts';
import { enqueued, leasedOne } from './job-desk.ts';

const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
const traceparent = `00-${traceId}-00f067aa0ba902b7-01`;
const yaml = (version: string, headers: Record<string, string> = {}) => ({
  body: ruleYaml('power', { version }),
  type: 'application/yaml',
  headers,
});

describe('the log of a call', () => {
  it('names its request, trace, tenant and actor, and the snapshot that it is about', async () => {
    const desk = new ApiDesk();
    const headers = { traceparent, 'x-request-id': 'request-7', 'x-channel': 'prod' };
    const call = 'POST /api/policies/power/publish';
    const { snapshot } = await desk.done('editor', call, yaml('1.0.0', headers));
    expect(desk.deps.log.lines).toEqual([
      {
        level: 'info',
        msg: 'publishPolicy',
        requestId: 'request-7',
        traceId,
        tenant: 'demo',
        actor: 'editor',
        params: { id: 'power' },
        snapshot,
        status: 201,
      },
    ]);
  });

  it.each([
    ['POST /api/policies/power/snapshots', yaml('2.0.0')],
    ['POST /api/policies/power/promote', { json: { from: 'dev', to: 'test' } }],
    ['POST /api/policies/power/publish', yaml('2.0.0', { 'x-rollout': 'staged' })],
    ['POST /api/policies/power/rollback', { json: { channel: 'dev', snapshot: '1.0.0' } }],
  ] as const)('%s tells the snapshot', async (call, asked) => {
    const desk = new ApiDesk();
    await desk.rule('power', '1.0.0', 'dev');
    await desk.rule('power', '1.1.0', 'dev');
    const told = await desk.done('editor', call, asked);
    expect(desk.deps.log.lines.at(-1)).toMatchObject({ snapshot: told['snapshot'] });
  });

  it.each([undefined, '', 'none', `00-${'0'.repeat(32)}-00f067aa0ba902b7-01`, `${traceparent}-x`])(
    'has a trace of its own where %j is given, and the call succeeds',
    async (given) => {
      const desk = new ApiDesk();
      const headers: Record<string, string> = given === undefined ? {} : { traceparent: given };
      await desk.done('service', 'POST /jobs', { json: { type: 'a', data: 1 }, headers });
      const own = desk.deps.log.lines[0]?.['traceId'];
      expect(own).toMatch(/^(?!0{32})[0-9a-f]{32}$/);
      expect(own).not.toBe(traceId);
    },
  );

  it('of a failure names the same, as far as it is known', async () => {
    const clock = new ManualClock();
    const down = faultyRecords(memoryRecords(clock), () => 'not-written');
    const desk = new ApiDesk({ clock, records: down });
    const headers = { traceparent, 'x-request-id': 'request-7' };
    const failed = await desk.open('editor', 'GET /api/policies/power', { headers });
    expect(failed.status).toBe(503);
    expect(desk.deps.log.lines).toEqual([
      {
        level: 'error',
        msg: 'request failed',
        requestId: 'request-7',
        traceId,
        tenant: 'demo',
        operation: 'getPolicy',
        error: expect.any(Unavailable),
      },
    ]);
  });
});

describe('on a platform that traces by itself', () => {
  const root = `Root=1-${'a'.repeat(8)}-${'b'.repeat(24)};Parent=53995c3f42cd8ad8;Sampled=1`;
  const platform = 'a'.repeat(8) + 'b'.repeat(24);
  const header = { 'x-amzn-trace-id': root.replace('aaaaaaaa', 'cccccccc') };
  const fromHeader = 'c'.repeat(8) + 'b'.repeat(24);

  it.each([
    ['the caller’s trace goes before it', root, { traceparent }, traceId],
    ['its trace is that of the call', root, {}, platform],
    ['what it says itself goes before a header', root, header, platform],
    ['a header will do', undefined, header, fromHeader],
  ] as const)('%s', async (_, told, given, wanted) => {
    const desk = new ApiDesk();
    const app = createApp({ ...desk.deps, platformTrace: () => told }, changeRoutes(desk.deps));
    const response = await app.request('/api/policies/power/snapshots', {
      method: 'POST',
      headers: new Headers({
        authorization: 'Bearer editor',
        'content-type': 'application/yaml',
        ...given,
      }),
      body: ruleYaml('power', { version: '1.0.0' }),
    });
    expect(response.status).toBe(201);
    expect(desk.deps.log.lines.at(-1)).toMatchObject({ traceId: wanted });
  });

  it('elsewhere its header means nothing', async () => {
    const desk = new ApiDesk();
    await desk.done('service', 'POST /jobs', { json: { type: 'a', data: 1 }, headers: header });
    expect(desk.deps.log.lines[0]?.['traceId']).not.toBe(fromHeader);
  });
});

it('a job goes on in the trace of who enqueued it', async () => {
  const desk = new ApiDesk();
  const id = await enqueued(desk, {}, { headers: { traceparent } });
  const stored = await getRecord(desk.deps, jobKey({ tenant: 'demo', id }, desk.deps.jobJournals));
  const own = stored?.value.traceparent;
  expect(own).toMatch(new RegExp(`^00-${traceId}-[0-9a-f]{16}-01$`));
  expect(own).not.toBe(traceparent);
  expect(await leasedOne(desk)).toMatchObject({ id, traceparent: own });
});
