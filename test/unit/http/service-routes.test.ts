import { describe, expect, it } from 'vitest';
import { minuteMs, secondMs, startMs } from '../registry/service-desk.ts';
import { ServiceApi } from './service-api.ts';

const put = 'PUT /services/maya';
const yaml = `name: maya
url: https://maya.example/
routes: [/check]
events:
  publishes: [voucher-submitted]
  subscribes:
    - rule-changed
    - type: voucher-paid
      path: /paid
`;
const full = {
  name: 'maya',
  url: 'https://maya.example',
  replicas: [],
  secondaryUrl: null,
  routes: ['/check'],
  events: {
    publishes: ['voucher-submitted'],
    subscribes: [
      { type: 'rule-changed', path: '/events' },
      { type: 'voucher-paid', path: '/paid' },
    ],
  },
  health: { path: '/health', intervalS: 10, timeoutMs: 2000, rise: 2, fall: 2 },
  timeoutMs: 15_000,
};
const at = new Date(startMs).toISOString();

describe('a service', () => {
  it.each(['application/yaml', 'application/x-yaml', 'text/yaml', 'text/x-yaml; charset=utf-8'])(
    'is registered by a manifest as %s, shown, and taken out',
    async (type) => {
      const api = new ServiceApi();
      const made = await api.ask('editor', put, { body: yaml, type });
      expect(made.status).toBe(201);
      expect(made.headers.get('location')).toBe('/services/maya');
      const health = {
        status: 'green',
        reason: 'answered 200',
        since: at,
        targets: [
          {
            url: 'https://maya.example',
            role: 'primary',
            up: true,
            since: at,
            reason: 'answered 200',
            probedAt: at,
            tookMs: 0,
          },
        ],
      };
      const times = { registeredAt: at, changedAt: at, changedBy: 'editor' };
      expect(made.body).toEqual({
        name: 'maya',
        manifest: full,
        health,
        ...times,
        status: 'registered',
      });
      const { status: _, ...shown } = made.body;
      expect(await api.done('approver', 'GET /services/maya')).toEqual(shown);
      expect(await api.done('service', 'GET /services')).toEqual({ items: [shown], next: null });
      // What it shows can be put again.
      const again = await api.ask('editor', put, { json: shown['manifest'] });
      expect([again.status, again.body]).toEqual([200, { ...shown, status: 'unchanged' }]);
      const gone = await api.ask('admin', 'DELETE /services/maya');
      expect([gone.status, gone.text]).toEqual([204, '']);
      await api.refused(404, 'admin', 'DELETE /services/maya');
      await api.refused(404, 'editor', 'GET /services/maya');
    },
  );

  it('needs no more than its URL', async () => {
    const api = new ServiceApi();
    const { manifest } = await api.done('editor', put, { json: { url: 'https://maya.example' } });
    expect(manifest).toEqual({
      ...full,
      routes: ['/'],
      events: { publishes: [], subscribes: [] },
    });
  });

  it('of two regions and replicas tells how each target is', async () => {
    const api = new ServiceApi();
    api.probe.answer = (url) => (url.includes('//b.') ? 'refused' : 200);
    const { health } = await api.done('editor', put, {
      json: {
        url: 'https://a.example',
        replicas: ['https://b.example'],
        secondaryUrl: 'https://c.example',
      },
    });
    expect(health).toMatchObject({
      status: 'yellow',
      reason: '1 of 2 is down: no answer (ECONNREFUSED)',
      targets: [
        { url: 'https://a.example', role: 'primary', up: true },
        { url: 'https://b.example', role: 'primary', up: false },
        { url: 'https://c.example', role: 'secondary', up: true },
      ],
    });
  });

  it.each([
    ['nothing', {}, ['/url']],
    ['no URL', { url: 'maya' }, ['/url']],
    ['one of another kind', { url: ['https://maya.example'] }, ['/url']],
    ['another name', { name: 'other', url: 'https://maya.example' }, ['/name']],
    ['a bad name', { name: 'Maya!', url: 'https://maya.example' }, ['/name']],
    ['an unknown field', { url: 'https://maya.example', color: 'red' }, ['']],
    [
      'an unknown field of health',
      { url: 'https://maya.example', health: { pth: '/up' } },
      ['/health'],
    ],
    [
      'an unknown field of a prototype',
      JSON.parse('{"url":"https://maya.example","__proto__":{"timeoutMs":1}}'),
      [''],
    ],
    [
      'what it must not reach',
      { url: 'https://169.254.169.254', secondaryUrl: 'x' },
      ['/url', '/secondaryUrl'],
    ],
    [
      'a subscription that is none',
      {
        url: 'https://maya.example',
        events: { subscribes: ['a', 7, { type: 'b', path: 'x' }, { path: '/x' }] },
      },
      ['/events/subscribes/1', '/events/subscribes/3/type'],
    ],
    ['no list', { url: 'https://maya.example', routes: '/check' }, ['/routes']],
    ['no object', 'https://maya.example', ['']],
    ['a list', [], ['']],
  ])('is refused for %s', async (_, json, pointers) => {
    const api = new ServiceApi();
    expect(await api.refused(400, 'editor', put, { json })).toEqual(pointers);
    expect(api.probe.made).toEqual([]);
    expect(await api.told()).toEqual([]);
  });

  it.each([
    ['no YAML', 'url: [', 'application/yaml', 400],
    ['a key twice', 'url: https://a.example\nurl: https://b.example\n', 'application/yaml', 400],
    ['aliases that explode', bomb(), 'application/yaml', 400],
    ['a deep document', `url: ${'['.repeat(200)}`, 'application/yaml', 400],
    ['nothing as YAML', '', 'application/yaml', 400],
    ['no JSON', '{"url":', 'application/json', 400],
    ['a name twice', '{"url":"https://a.example","url":"x"}', 'application/json', 400],
    ['no UTF-8', new Uint8Array([0x7b, 0xff, 0x7d]), 'application/json', 400],
    ['too much', `url: https://a.example #${'x'.repeat(64 * 1024)}`, 'application/yaml', 413],
    ['another type', '<url/>', 'application/xml', 415],
    ['no type', '{}', '', 415],
  ])('is refused for %s', async (_, body, type, status) => {
    const api = new ServiceApi();
    const begun = performance.now();
    await api.refused(status, 'editor', put, { body, type });
    expect(performance.now() - begun).toBeLessThan(2000);
    expect(await api.told()).toEqual([]);
  });

  it('is named as the address says', async () => {
    const api = new ServiceApi();
    const json = { url: 'https://maya.example' };
    for (const name of ['Maya', '1maya', 'ma_ya', 'a'.repeat(64)]) {
      expect(await api.refused(400, 'editor', `PUT /services/${name}`, { json })).toEqual([
        'path:name',
      ]);
    }
    expect((await api.ask('editor', `PUT /services/${'a'.repeat(63)}`, { json })).status).toBe(201);
  });

  it('is for editors to change, for all to see, and of one tenant', async () => {
    const api = new ServiceApi();
    const json = { url: 'https://maya.example' };
    for (const who of ['approver', 'auditor', 'service']) {
      await api.refused(403, who, put, { json });
      await api.refused(403, who, 'DELETE /services/maya');
    }
    await api.refused(401, 'nobody', 'GET /health');
    await api.done('editor', put, { json });
    for (const who of ['admin', 'editor', 'approver', 'auditor', 'service']) {
      expect((await api.done(who, 'GET /services'))['items']).toHaveLength(1);
      expect(await api.done(who, 'GET /health')).toHaveProperty('services.maya.status', 'green');
    }
    await api.refused(404, 'stranger', 'GET /services/maya');
    await api.refused(404, 'stranger', 'DELETE /services/maya');
    expect(await api.done('stranger', 'GET /services?all=true')).toEqual({ items: [], next: null });
    expect(await api.done('stranger', 'GET /health')).toHaveProperty('services', {});
    expect((await api.ask('stranger', put, { json })).status).toBe(201);
  });
});

describe('the list of services', () => {
  it('has those that are alive, page by page, and all of them on demand', async () => {
    const api = new ServiceApi();
    api.probe.answer = (url) => (url.includes('b.') ? 404 : 200);
    for (const name of ['a', 'b', 'c', 'd']) await api.put(name);
    const names = (body: Readonly<Record<string, unknown>>) =>
      (body['items'] as { name: string }[]).map(({ name }) => name);
    const page = await api.done('service', 'GET /services?limit=2');
    expect(names(page)).toEqual(['a', 'c']);
    const rest = await api.done('service', `GET /services?limit=2&cursor=${String(page['next'])}`);
    expect([names(rest), rest['next']]).toEqual([['d'], null]);
    expect(names(await api.done('service', 'GET /services?all=true'))).toEqual([
      'a',
      'b',
      'c',
      'd',
    ]);
    expect(names(await api.done('service', 'GET /services?all=false'))).toEqual(['a', 'c', 'd']);
    expect(await api.refused(400, 'service', 'GET /services?all=yes')).toEqual(['query:all']);
    expect(await api.refused(400, 'service', 'GET /services?cursor=_')).toEqual(['query:cursor']);
  });
});

describe('health', () => {
  it('tells the colour of every service, why and since when, and of what they rest on', async () => {
    const api = new ServiceApi();
    await api.put('maya');
    api.probe.answer = () => 404;
    await api.put('nohealth');
    await api.probed('maya', minuteMs);
    await api.probed('maya', 2 * secondMs);
    const told = await api.ask('auditor', 'GET /health');
    expect(told.headers.get('cache-control')).toBe('no-store');
    expect(told.body).toEqual({
      status: 'red',
      services: {
        maya: {
          status: 'red',
          reason: 'answered 404',
          since: new Date(startMs + minuteMs + 2 * secondMs).toISOString(),
        },
        nohealth: { status: 'red', reason: 'answered 404', since: at },
      },
      parts: {
        records: { status: 'green', reason: 'answers' },
        probes: { status: 'green', reason: 'every service is probed in time' },
      },
    });
  });
});

function bomb(): string {
  const levels = Array.from({ length: 9 }, (_, i) => {
    const before = i === 0 ? 'x' : `*a${i - 1}`;
    return `a${i}: &a${i} [${Array(9).fill(before).join(',')}]`;
  });
  return `url: https://a.example\n${levels.join('\n')}\n`;
}
