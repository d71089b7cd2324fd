import { describe, expect, it } from 'vitest';
import { runChange, runEvent } from '../../../src/contract/run-events.ts';
import { runEventsOf } from '../../../src/core/rollouts/run-events.ts';
import { entriesAfter } from '../../../src/core/journal/read-journal.ts';
import { changeRun } from '../../../src/core/rollouts/change-run.ts';
import { pollingSignal } from '../../../src/adapters/aws/polling-signal.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { ApiDesk } from './api-desk.ts';

async function deskWithRun(): Promise<ApiDesk> {
  const clock = new ManualClock();
  const desk = new ApiDesk({ clock, signal: pollingSignal({ clock }) });
  // Others' steps are before it and between.
  for (const id of ['other', 'epa']) {
    const snapshot = await desk.rule(id, '2.0.0');
    await desk.done('editor', 'POST /api/runs', { json: { policies: [{ id, snapshot }] } });
  }
  return desk;
}

/** The messages of a stream as they come, each held against the contract. */
async function listen(desk: ApiDesk, call: string, headers: Record<string, string> = {}) {
  const response = await desk.open('reader', call, { headers });
  expect([response.status, response.headers.get('content-type')]).toEqual([
    200,
    'text/event-stream',
  ]);
  const messages: { id: number; action: string; status: string; run: number }[] = [];
  let ended = false;
  const reading = (async () => {
    for await (const chunk of response.body as ReadableStream<Uint8Array>) {
      for (const [, id, data = ''] of Buffer.from(chunk)
        .toString()
        .matchAll(/^id: (\d+)\ndata: (.*)$/gm)) {
        const change = runChange.parse(JSON.parse(data));
        expect(change).toEqual(JSON.parse(data));
        const { action, status, run } = change;
        messages.push({ id: Number(id), action, status, run });
      }
    }
    ended = true;
  })();
  await desk.deps.clock.advance(0);
  return { messages, reading, ended: () => ended };
}

const call = 'GET /api/runs/2/events';

describe('the stream of a run', () => {
  it('begins with the first step, and ends after the last', async () => {
    const desk = await deskWithRun();
    const live = await listen(desk, call);
    expect(live.messages).toMatchObject([{ action: 'run.queued', status: 'queued', run: 2 }]);
    await desk.done('editor', 'POST /api/runs/1/abort');
    await desk.deps.clock.advance(1000);
    expect([live.messages.length, live.ended()]).toEqual([1, false]);
    await desk.done('editor', 'POST /api/runs/2/abort');
    await desk.deps.clock.advance(1000);
    expect(live.messages.slice(1)).toMatchObject([{ action: 'run.ended', status: 'aborted' }]);
    expect(live.ended()).toBe(true);
    await live.reading;
    // The same again for who comes when all is over.
    const late = await listen(desk, call);
    expect([late.messages, late.ended()]).toEqual([live.messages, true]);
  });

  it('goes on after what a reader has seen, and sends away who has seen the end', async () => {
    const desk = await deskWithRun();
    await desk.done('editor', 'POST /api/runs/2/abort');
    const [queued, ended] = (await listen(desk, call)).messages;
    const after = (id = -1) => ({ 'last-event-id': String(id) });
    expect((await listen(desk, call, after(queued?.id))).messages).toEqual([ended]);
    expect((await listen(desk, `${call}?lastEventId=${queued?.id}`)).messages).toEqual([ended]);
    const over = await desk.ask('reader', call, { headers: after(ended?.id) });
    expect([over.status, over.text]).toEqual([204, '']);
    const beyond = await listen(desk, call, after(999));
    expect([beyond.messages, beyond.ended()]).toEqual([[], true]);
    expect((await listen(desk, call, after(-1))).messages).toEqual([queued, ended]);
  });

  it('is of the tenant that has the run', async () => {
    const desk = await deskWithRun();
    await desk.refused(404, 'stranger', call);
    await desk.refused(404, 'reader', 'GET /api/runs/3/events');
    await desk.refused(400, 'reader', call, { headers: { 'last-event-id': 'x' } });
  });
});

describe('events of runs', () => {
  it('are as the contract has them', async () => {
    const desk = await deskWithRun();
    const origin = { tenant: 'demo', actor: 'hms-svc', requestId: 'r' };
    const ref = { tenant: 'demo', run: 2 };
    await changeRun(desk.deps, origin, ref, async ({ stored }) => ({
      action: 'run.canary',
      run: { ...stored.value, status: 'canary' },
      result: null,
      facts: { canary: { weight: 500, salt: 's', region: null } },
    }));
    await desk.done('editor', 'POST /api/runs/2/abort', { json: { reason: 'why not' } });
    const entries = await entriesAfter(desk.deps, 'demo', -1, 100);
    const events = entries.flatMap((entry) => runEventsOf('demo', entry));
    expect(events.map(({ type, subject }) => `${subject} ${type}`)).toEqual([
      'run:1 run.queued',
      'run:2 run.queued',
      'run:2 run.canary',
      'run:2 run.ended',
    ]);
    for (const event of events) expect(runEvent.parse(event)).toEqual(event);
  });
});
