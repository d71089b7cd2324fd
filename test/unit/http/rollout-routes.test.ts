import { describe, expect, it } from 'vitest';
import type { CanaryProgress, RunRecord } from '../../../src/core/rollouts/run-record.ts';
import { runKey } from '../../../src/core/rollouts/run-keys.ts';
import { emptyTest } from '../../../src/core/rollouts/canary/sequential-test.ts';
import { requireRun } from '../../../src/core/rollouts/read-situation.ts';
import { ApiDesk } from './api-desk.ts';

const first = { tenant: 'demo', run: 1 };

async function recordOf(desk: ApiDesk): Promise<RunRecord> {
  return (await requireRun(desk.deps, first)).value;
}

async function queued(desk: ApiDesk, more: object = {}): Promise<string> {
  const snapshot = await desk.rule('epa', '2.0.0');
  const json = { policies: [{ id: 'epa', snapshot }], ...more };
  await desk.done('editor', 'POST /api/runs', { json });
  return snapshot;
}

describe('POST /api/runs', () => {
  it('queues a run, says where it is, and starts it', async () => {
    const desk = new ApiDesk();
    const snapshot = await desk.rule('epa', '2.0.0');
    const json = { policies: [{ id: 'epa', snapshot: '2.0.0' }] };
    const told = await desk.ask('editor', 'POST /api/runs', { json });
    expect(told.status).toBe(202);
    expect(told.body).toEqual({ run: 1, status: 'queued', waitsFor: null });
    expect(told.headers.get('location')).toBe('/api/runs/1');
    expect(desk.started).toEqual(['demo-run-1']);
    expect(await recordOf(desk)).toMatchObject({
      channel: 'prod',
      policies: [{ id: 'epa', snapshot }],
      canary: null,
      partners: [],
      approvals: 0,
      hotfix: false,
      reason: null,
      author: 'editor',
    });
  });

  it('waits for a run that has begun its canary', async () => {
    const desk = new ApiDesk();
    const snapshot = await queued(desk);
    await desk.put(runKey(first), { ...(await recordOf(desk)), progress: progress() });
    const json = { policies: [{ id: 'epa', snapshot }] };
    const body = await desk.done('editor', 'POST /api/runs', { json });
    expect(body).toEqual({ run: 2, status: 'queued', waitsFor: 1 });
  });

  it('takes the canary of the channel unless it is told', async () => {
    const canary = { percent: 12.5, scope: 'region:NCR' };
    for (const [asked, wanted] of [
      [{}, { percent: 12.5, scope: 'region:NCR' }],
      [{ canary: 0.05 }, { percent: 5, scope: null }],
    ] as const) {
      const desk = new ApiDesk();
      await desk.done('admin', 'PUT /api/channels/prod', { json: { canary } });
      await queued(desk, asked);
      expect((await recordOf(desk)).canary).toMatchObject(wanted);
    }
    for (const asked of [false, null]) {
      const desk = new ApiDesk();
      await desk.done('admin', 'PUT /api/channels/prod', { json: { canary } });
      await queued(desk, { canary: asked });
      expect((await recordOf(desk)).canary).toBeNull();
    }
  });

  it.each([
    [true, 1],
    [3, 3],
    [false, 0],
  ])('with approval %s needs %i people', async (approval, people) => {
    const desk = new ApiDesk();
    await queued(desk, { approval });
    expect((await recordOf(desk)).approvals).toBe(people);
  });

  it.each([
    ['no policies', { policies: [] }, '/policies'],
    ['a policy twice', { policies: [epa('x'), epa('y')] }, '/policies'],
    ['an unknown partner', { partners: ['nobody'] }, '/partners/0'],
    ['a partner that could not be', { partners: ['No Body'] }, '/partners/0'],
    ['no channel', { channel: 'live' }, '/channel'],
    ['a misspelt option', { canry: 0.05 }, ''],
    ['a misspelt option of the canary', { canary: { percnt: 5 } }, '/canary'],
    ['a share of none', { canary: 0 }, '/canary'],
    ['a share in percent', { canary: 5 }, '/canary'],
    ['a canary that is none', { canary: true }, '/canary'],
    ['too small a share', { canary: { percent: 0.001 } }, '/canary/percent'],
    ['a scope that is none', { canary: { scope: 'NCR' } }, '/canary/scope'],
    ['no time to observe', { canary: { observeSeconds: 0 } }, '/canary/observeSeconds'],
    ['too many people', { approval: 6 }, '/approval'],
    ['a hotfix without a reason', { hotfix: true }, '/reason'],
    ['a reason of two lines', { reason: 'a\nb' }, '/reason'],
    ['a reason that is no text', { reason: '\ud800' }, '/reason'],
  ])('refuses %s, and names the place', async (_, more, pointer) => {
    const desk = new ApiDesk();
    await desk.rule('epa', '2.0.0');
    const json = { policies: [epa('2.0.0')], ...more };
    expect(await desk.refused(400, 'admin', 'POST /api/runs', { json })).toEqual([pointer]);
    expect(desk.started).toEqual([]);
  });

  it('finds no snapshot that is not there', async () => {
    const desk = new ApiDesk();
    await desk.refused(404, 'editor', 'POST /api/runs', { json: { policies: [epa('9.9.9')] } });
  });

  it('lets only who may approve ask for a hotfix', async () => {
    const desk = new ApiDesk();
    await desk.rule('epa', '2.0.0');
    const json = { policies: [epa('2.0.0')], hotfix: true, reason: 'smoke' };
    await desk.refused(403, 'editor', 'POST /api/runs', { json });
    await desk.done('admin', 'POST /api/runs', { json });
    expect(await recordOf(desk)).toMatchObject({ hotfix: true, reason: 'smoke' });
  });
});

const epa = (snapshot: string) => ({ id: 'epa', snapshot });

describe('the page of a run', () => {
  it('shows what is known of it before it begins', async () => {
    const desk = new ApiDesk();
    const snapshot = await queued(desk, { approval: true, reason: 'PM2.5 from 35 to 25' });
    const page = await desk.done('reader', 'GET /api/runs/1');
    expect(page).toMatchObject({
      run: 1,
      status: 'queued',
      policies: [{ id: 'epa', snapshot, version: '2.0.0', effective: null, replaces: null }],
      approvals: 1,
      reason: 'PM2.5 from 35 to 25',
      author: 'editor',
      lint: null,
      simulation: null,
      verdict: null,
      bucketing: null,
      ticket: null,
    });
    expect((page['policies'] as { digest: string }[])[0]?.digest).toMatch(/^sha256:[0-9a-f]{64}$/);
    expect((page['stages'] as { name: string }[]).map(({ name }) => name)).toEqual([
      'lint',
      'simulate',
      'approve',
      'canary',
      'rollout',
      'notify',
    ]);
  });

  it('shows what its stages found', async () => {
    const desk = new ApiDesk();
    await queued(desk, { canary: { percent: 0.07, scope: 'region:NCR' } });
    const record = await recordOf(desk);
    const old = { snapshot: 'v1', version: '1.0.0', digest: 'a'.repeat(64) };
    const found: RunRecord = {
      ...record,
      status: 'canary',
      policies: record.policies.map((policy) =>
        Object.assign({}, policy, { base: { gen: 3, rule: old } }),
      ),
      lint: { errors: 0, warnings: 1, findings: [finding] },
      simulation,
      progress: progress(),
    };
    await desk.put(runKey(first), found);
    expect(await desk.done('reader', 'GET /api/runs/1')).toMatchObject({
      status: 'canary',
      policies: [{ replaces: { snapshot: 'v1', version: '1.0.0' } }],
      bucketing: { salt: 'the-salt', weight: 7 },
      lint: { warnings: 1, findings: [finding] },
      simulation,
      verdict: {
        kind: 'observing',
        method: 'time',
        eValue: 1,
        extensions: 2,
        observedSince: '2026-01-01T00:00:00.000Z',
        evidence: { canaryDecisions: 12, newAlerts: ['smoke'] },
      },
    });
  });

  it('is of the tenant that asks, and of no other form than its number', async () => {
    const desk = new ApiDesk();
    await queued(desk);
    await desk.refused(404, 'stranger', 'GET /api/runs/1');
    await desk.refused(404, 'reader', 'GET /api/runs/2');
    for (const run of ['0', '01', '1.0', '1e0', '-1', '0x1', '9'.repeat(13), 'x', '%201']) {
      expect(await desk.refused(400, 'reader', `GET /api/runs/${run}`)).toEqual(['path:run']);
    }
  });

  it('lists the newest first, page by page, without what stages found', async () => {
    const desk = new ApiDesk();
    for (const id of ['a', 'b', 'c']) {
      const snapshot = await desk.rule(id, '1.0.0');
      const json = { policies: [{ id, snapshot }] };
      await desk.done('editor', 'POST /api/runs', { json });
    }
    const page = await desk.done('reader', 'GET /api/runs?limit=2');
    const items = page['items'] as { run: number }[];
    expect(items.map(({ run }) => run)).toEqual([3, 2]);
    expect(items[0]).not.toHaveProperty('lint');
    const rest = await desk.done('reader', `GET /api/runs?limit=2&cursor=${String(page['next'])}`);
    expect(rest).toMatchObject({ items: [{ run: 1 }], next: null });
    expect(await desk.refused(400, 'reader', 'GET /api/runs?cursor=eHl6')).toEqual([
      'query:cursor',
    ]);
    expect(await desk.done('stranger', 'GET /api/runs')).toEqual({ items: [], next: null });
  });

  it('is aborted once, whoever asks how often, with the first reason', async () => {
    const desk = new ApiDesk();
    await queued(desk);
    const json = { reason: 'wrong limit' };
    const ended = await desk.done('editor', 'POST /api/runs/1/abort', { json });
    expect(ended).toMatchObject({ status: 'aborted', outcome: 'editor aborted it: wrong limit' });
    expect(await desk.done('admin', 'POST /api/runs/1/abort')).toEqual(ended);
    expect(await desk.done('reader', 'GET /api/runs/1')).toEqual(ended);
    await desk.refused(403, 'reader', 'POST /api/runs/1/abort');
    await desk.refused(404, 'stranger', 'POST /api/runs/1/abort');
  });
});

const finding = {
  policy: 'epa',
  severity: 'warning',
  rule: 'kind',
  pointer: '/limit',
  line: 3,
  column: null,
  detail: 'has no unit',
} as const;

const simulation = {
  passed: true,
  scenarios: 125,
  replayed: 125,
  adapted: 123,
  share: 0.984,
  flips: [
    { suite: 's', cohort: 'all', from: 'go', to: 'stop', count: 2, scenarios: ['bot-1', 'bot-2'] },
  ],
  findings: [],
  report: '/api/policies/epa/attachments/sha256:00',
};

function progress(): CanaryProgress {
  const evidence = {
    canaryDecisions: 12,
    stableDecisions: 200,
    canaryAlerts: 1,
    stableAlerts: 0,
    waitingAlerts: 0,
    newAlerts: ['smoke'],
    acknowledged: 1,
    refused: 0,
    test: emptyTest(),
  };
  const verdict = { kind: 'observing', method: 'time', detail: '12 of 20 decisions' } as const;
  const startedAtMs = Date.UTC(2026, 0, 1);
  return { salt: 'the-salt', startedAtMs, extensions: 2, evidence, verdict };
}
