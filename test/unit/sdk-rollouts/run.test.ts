import { describe, expect, it } from 'vitest';
import { getRun, RunFailedError, startRun } from '../../../sdk/src/rollouts/run.ts';
import { page, serviceWith } from './run-service.ts';

describe('a run', () => {
  it('is started, followed to its end, and answered when everyone has the rule', async () => {
    const { connection, calls } = serviceWith({});
    const policies = [{ id: 'epa-pm25-limit', snapshot: '2.0.0' }];
    const wish = { policies, canary: 0.05, partners: ['maine'] };
    const run = await startRun({ ...wish, connection });
    expect([run.number, calls]).toEqual([184, [{ call: 'POST /api/runs', body: wish }]]);
    const actions: string[] = [];
    for await (const { action } of run.events()) actions.push(action);
    expect(actions).toEqual(['run.queued', 'run.ended']);
    expect(await run.done()).toEqual(page);
    // Ended in order: nobody asked whether there is more.
    expect(calls.map(({ call }) => call)).toEqual([
      'POST /api/runs',
      'GET /api/runs/184/events',
      'GET /api/runs/184/events',
      'GET /api/runs/184',
    ]);
  });

  it.each(['rejected', 'failed', 'aborted', 'superseded', 'expired'] as const)(
    'that ended as %s says at which stage, and why',
    async (status) => {
      const { connection } = serviceWith({ status });
      const error = await getRun(184, { connection })
        .done()
        .catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(RunFailedError);
      expect(error).toMatchObject({
        name: 'RunFailedError',
        message: `Run 184 ended as ${status} at simulate (40.0% adapted): too few scenarios adapt`,
        run: 184,
        status,
        stage: { name: 'simulate', detail: '40.0% adapted' },
      });
    },
  );

  it('may have been stopped by nobody but a person', async () => {
    const { connection, calls } = serviceWith({ status: 'aborted', stages: [], outcome: null });
    const run = getRun(184, { connection });
    expect((await run.abort('smoke')).status).toBe('aborted');
    expect(calls.at(-1)).toEqual({ call: 'POST /api/runs/184/abort', body: { reason: 'smoke' } });
    await expect(run.done()).rejects.toMatchObject({
      message: 'Run 184 ended as aborted: no reason given',
      stage: undefined,
    });
  });

  it('is not started twice when the answer was lost', async () => {
    let calls = 0;
    const lost: typeof fetch = async () => {
      calls += 1;
      throw new TypeError('terminated');
    };
    const connection = { baseUrl: 'http://hms.test', fetch: lost };
    await expect(startRun({ policies: [], connection })).rejects.toMatchObject({
      name: 'NoAnswerError',
    });
    expect(calls).toBe(1);
  });
});
