import { describe, expect, it } from 'vitest';
import { getRecord } from '../../../src/core/records.ts';
import { serviceKey } from '../../../src/core/telemetry/telemetry-keys.ts';
import { ApiDesk } from './api-desk.ts';

const lane = { tenant: 'demo', id: 'epa', channel: 'prod' } as const;

async function deskWithRule() {
  const desk = new ApiDesk();
  return { desk, snapshot: await desk.rule('epa', '1.0.0', 'prod') };
}

describe('POST /api/alerts', () => {
  const alert = { policy: 'epa', fingerprint: 'smoke', severity: 'critical', message: 'a\nb' };

  it('counts an alert of the arm that raised it', async () => {
    const { desk, snapshot } = await deskWithRule();
    const json = { ...alert, snapshot };
    const told = await desk.ask('service', 'POST /api/alerts', { json });
    expect([told.status, told.body]).toEqual([202, { arm: 'stable', run: null, new: false }]);
  });

  it('knows only what the tenant has', async () => {
    const { desk, snapshot } = await deskWithRule();
    const json = { ...alert, snapshot };
    await desk.refused(404, 'stranger', 'POST /api/alerts', { json });
    const elsewhere = { json: { ...json, channel: 'dev' } };
    await desk.refused(404, 'service', 'POST /api/alerts', elsewhere);
    await desk.refused(404, 'service', 'POST /api/alerts', { json: { ...json, snapshot: 'v1' } });
    await desk.refused(403, 'editor', 'POST /api/alerts', { json });
  });

  it.each([
    ['fingerprint', ''],
    ['fingerprint', 'x'.repeat(201)],
    ['fingerprint', 'two\nlines'],
    ['fingerprint', '\ud800'],
    ['severity', 'fatal'],
    ['message', 'x'.repeat(1001)],
    ['message', '\udfff'],
    ['snapshot', '../x'],
    ['policy', ''],
  ])('refuses a %s that is %j', async (name, value) => {
    const { desk, snapshot } = await deskWithRule();
    const json = { ...alert, snapshot, [name]: value };
    expect(await desk.refused(400, 'service', 'POST /api/alerts', { json })).toEqual([`/${name}`]);
  });
});

describe('POST /api/receipts', () => {
  it('takes one receipt in, or tells why not', async () => {
    const { desk, snapshot } = await deskWithRule();
    const json = { policy: 'epa', snapshot, status: 'applied', decisions: 40 };
    const about = { policy: 'epa', channel: 'prod', snapshot };
    expect(await desk.done('service', 'POST /api/receipts', { json })).toEqual({
      receipts: [{ ...about, status: 'recorded', arm: 'stable', run: null }],
    });
    await desk.refused(404, 'service', 'POST /api/receipts', { json: { ...json, policy: 'no' } });
    await desk.refused(404, 'stranger', 'POST /api/receipts', { json });
  });

  it('answers each of several by itself, in their order, and counts a report once', async () => {
    const { desk, snapshot } = await deskWithRule();
    const receipts = [
      { policy: 'nowhere', snapshot, status: 'applied' },
      { policy: 'epa', snapshot, status: 'refused', reason: 'no sensor' },
    ];
    const json = { receipts, reportId: 'report-1' };
    const send = () => desk.done('service', 'POST /api/receipts', { json });
    const failed = { policy: 'nowhere', channel: 'prod', snapshot, status: 'failed' };
    expect(await send()).toMatchObject({
      receipts: [
        { ...failed, code: 'not_found' },
        { policy: 'epa', status: 'recorded' },
      ],
    });
    expect(await send()).toMatchObject({
      receipts: [failed, { policy: 'epa', status: 'repeated' }],
    });
  });

  it('is of the caller, or of whom a monitor names', async () => {
    const { desk, snapshot } = await deskWithRule();
    const asked = { json: { policy: 'epa', snapshot, status: 'applied' } };
    await desk.done('service', 'POST /api/receipts', asked);
    const headers = { 'x-subject': 'bot-7' };
    await desk.done('monitor', 'POST /api/receipts', { ...asked, headers });
    await desk.refused(403, 'service', 'POST /api/receipts', { ...asked, headers });
    for (const [service, known] of [
      ['service', true],
      ['bot-7', true],
      ['monitor', false],
    ] as const) {
      const found = await getRecord(desk.deps, serviceKey(lane, service));
      expect([service, found !== undefined]).toEqual([service, known]);
    }
  });

  const one = { policy: 'epa', snapshot: 'v1', status: 'applied' };
  it.each([
    ['no status', { policy: 'epa', snapshot: 'v1' }, '/status'],
    ['another status', { ...one, status: 'done' }, '/status'],
    ['too many decisions', { ...one, decisions: 1e9 + 1 }, '/decisions'],
    ['fewer than none', { ...one, decisions: -1 }, '/decisions'],
    ['none', { receipts: [] }, '/receipts'],
    ['too many', { receipts: Array.from({ length: 101 }, () => one) }, '/receipts'],
    ['a bad one of several', { receipts: [one, { ...one, snapshot: 7 }] }, '/receipts/1/snapshot'],
    ['both forms', { ...one, receipts: [one] }, ''],
    ['neither', 7, ''],
  ])('refuses %s, and names the place', async (_, json, pointer) => {
    const { desk } = await deskWithRule();
    expect(await desk.refused(400, 'service', 'POST /api/receipts', { json })).toEqual([pointer]);
  });
});

describe('GET …/convergence', () => {
  it('tells how many services run the rule, and who lags', async () => {
    const { desk, snapshot: old } = await deskWithRule();
    const snapshot = await desk.rule('epa', '2.0.0', 'prod');
    const json = { policy: 'epa', snapshot, status: 'applied' };
    await desk.done('service', 'POST /api/receipts', { json });
    await desk.done('monitor', 'POST /api/receipts', {
      json: { ...json, snapshot: old },
      headers: { 'x-subject': 'bot-7' },
    });
    expect(await desk.done('reader', 'GET /api/policies/epa/convergence')).toMatchObject({
      id: 'epa',
      channel: 'prod',
      snapshot,
      services: 2,
      applied: 1,
      share: 0.5,
      laggards: [{ service: 'bot-7', snapshot: old, status: 'applied', reason: null }],
      canary: null,
    });
    await desk.refused(404, 'reader', 'GET /api/policies/epa/convergence?channel=test');
    await desk.refused(404, 'stranger', 'GET /api/policies/epa/convergence');
  });
});
