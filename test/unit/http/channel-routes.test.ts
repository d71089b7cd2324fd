import { describe, expect, it } from 'vitest';
import { ApiDesk } from './api-desk.ts';

describe('a channel', () => {
  const blackouts = [
    {
      days: ['fri', 'sat'],
      from: '17:00',
      to: '09:00',
      timeZone: 'America/New_York',
      reason: 'weekend',
    },
    { since: '2026-12-24T00:00:00Z', until: '2027-01-02T00:00:00+01:00', reason: 'holidays' },
  ];

  it('says how it takes rules, as it was told', async () => {
    const desk = new ApiDesk();
    const plain = { channel: 'prod', staged: false, quorum: 0, blackouts: [], canary: null };
    expect(await desk.done('reader', 'GET /api/channels/prod')).toEqual(plain);
    const json = { staged: true, quorum: 2, blackouts, canary: 0.1, reason: 'audit' };
    const told = await desk.done('admin', 'PUT /api/channels/prod', { json });
    expect(told).toMatchObject({ channel: 'prod', staged: true, quorum: 2, blackouts });
    expect(told['canary']).toMatchObject({ percent: 10, observeSeconds: 300 });
    expect(await desk.done('reader', 'GET /api/channels/prod')).toEqual(told);
    expect(await desk.done('reader', 'GET /api/channels/dev')).toEqual({
      ...plain,
      channel: 'dev',
    });
    expect(await desk.done('stranger', 'GET /api/channels/prod')).toEqual(plain);
    // All of it at once: what is left out is gone.
    expect(await desk.done('admin', 'PUT /api/channels/prod', { json: {} })).toEqual(plain);
  });

  const weekly = blackouts[0];
  const once = blackouts[1];
  it.each([
    ['too many people', { quorum: 6 }, '/quorum'],
    ['no channel option', { stagd: true }, ''],
    ['an unknown time zone', { blackouts: [{ ...weekly, timeZone: 'NY' }] }, '/timeZone'],
    ['no time of day', { blackouts: [{ ...weekly, from: '24:00' }] }, '/from'],
    ['no day', { blackouts: [{ ...weekly, days: ['friday'] }] }, '/days/0'],
    ['a day twice', { blackouts: [{ ...weekly, days: ['fri', 'fri'] }] }, '/days'],
    [
      'an end before the beginning',
      { blackouts: [{ ...once, until: '2026-01-01T00:00:00Z' }] },
      '/until',
    ],
    ['no reason', { blackouts: [{ ...once, reason: '' }] }, '/reason'],
    ['no canary', { canary: { percent: 101 } }, '/canary/percent'],
  ])('refuses %s', async (_, json, pointer) => {
    const desk = new ApiDesk();
    const wanted = 'blackouts' in json ? `/blackouts/0${pointer}` : pointer;
    expect(await desk.refused(400, 'admin', 'PUT /api/channels/prod', { json })).toEqual([wanted]);
  });

  it('has at most 50 windows, and is for administrators to change', async () => {
    const desk = new ApiDesk();
    const json = { blackouts: Array.from({ length: 51 }, () => once) };
    expect(await desk.refused(400, 'admin', 'PUT /api/channels/prod', { json })).toEqual([
      '/blackouts',
    ]);
    await desk.refused(403, 'editor', 'PUT /api/channels/prod', { json: {} });
  });
});

describe('a publish or promote to a channel that takes rollouts only', () => {
  it('answers the run that takes the rule there', async () => {
    const desk = new ApiDesk();
    const old = await desk.rule('epa', '1.0.0', 'prod');
    await desk.done('admin', 'PUT /api/channels/prod', { json: { staged: true } });
    const published = await desk.ask('editor', 'POST /api/policies/epa/publish', {
      body: 'id: epa\nversion: 2.0.0\n',
      type: 'application/yaml',
      headers: { 'x-channel': 'prod' },
    });
    expect(published.status).toBe(202);
    expect(published.headers.get('location')).toBe('/api/runs/1');
    const snapshot = published.body['snapshot'];
    expect(published.body).toMatchObject({ id: 'epa', status: 'queued', run: 1, waitsFor: null });
    expect(snapshot).not.toBe(old);
    await desk.rule('epa', '3.0.0', 'dev');
    const promoted = await desk.ask('editor', 'POST /api/policies/epa/promote', {
      json: { from: 'dev', to: 'prod' },
    });
    expect(promoted.status).toBe(202);
    expect(promoted.body).toMatchObject({ id: 'epa', status: 'queued', run: 2 });
    const rule = await desk.ask('reader', 'GET /api/policies/epa');
    expect(rule.headers.get('etag')).toBe(`"${old}"`);
  });

  it('is what `X-Rollout: staged` makes of any channel, and of no other word', async () => {
    const desk = new ApiDesk();
    const publish = { body: 'id: epa\nversion: 2.0.0\n', type: 'application/yaml' };
    const staged = { ...publish, headers: { 'x-rollout': 'staged' } };
    const told = await desk.ask('editor', 'POST /api/policies/epa/publish', staged);
    expect(told.status).toBe(202);
    expect(await desk.done('reader', 'GET /api/runs/1')).toMatchObject({ channel: 'dev' });
    const wrong = { ...publish, headers: { 'x-rollout': 'yes' } };
    expect(await desk.refused(400, 'editor', 'POST /api/policies/epa/publish', wrong)).toEqual([
      'header:x-rollout',
    ]);
  });
});
