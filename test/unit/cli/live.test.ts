import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type CliDesk, startCliDesk } from '../../support/cli-desk.ts';

let desk: CliDesk;
beforeEach(async () => {
  desk = await startCliDesk();
});
afterEach(async () => desk[Symbol.asyncDispose]());

const change = {
  id: 'a',
  channel: 'prod',
  version: '2.0.0',
  snapshot: 'v2',
  action: 'policy.published',
  reason: 'publish',
  actor: 'demo-editor',
  effectiveAt: null,
  at: '2026-11-20T18:00:00Z',
};
const job = { job: 'j', type: 'x', at: '2026-11-20T18:00:00Z', attempt: 1, reason: null };
const message = (id: number, data: unknown) => `id: ${id}\ndata: ${JSON.stringify(data)}\n\n`;

/** Answers a stream with some messages; then Ctrl-C comes. */
function streams(name: string, ...messages: unknown[]): AbortController {
  const interrupt = new AbortController();
  desk.hms.answers[name] = () => ({
    status: 200,
    headers: { 'content-type': 'text/event-stream' },
    chunks: (async function* () {
      yield 'retry: 10\nid: -1\n: connected\n\n';
      for (const [place, data] of messages.entries()) yield message(place, data);
      await new Promise((resolve) => setTimeout(resolve, 50));
      interrupt.abort();
    })(),
  });
  return interrupt;
}

describe('tail', () => {
  it('tells each change until Ctrl-C', async () => {
    const later = { ...change, version: '2.1.0', effectiveAt: '2027-01-01T00:00:00Z' };
    const { signal } = streams('GET /api/stream/policies?channel=prod', change, later);
    const ran = await desk.run(['tail', '--channel', 'prod'], { signal });
    expect(ran).toEqual({
      code: 130,
      stdout:
        '2026-11-20T18:00:00Z prod a@2.0.0 published by demo-editor (publish) v2\n' +
        '2026-11-20T18:00:00Z prod a@2.1.0 published, from 2027-01-01T00:00:00Z by demo-editor (publish) v2\n',
      stderr: '',
    });
  });

  it('writes JSON lines with --json', async () => {
    const { signal } = streams('GET /api/stream/policies', change, change);
    const ran = await desk.run(['tail', '--json'], { signal });
    expect(ran.stdout).toBe(`${JSON.stringify(change)}\n`.repeat(2));
  });

  it('begins where it is told', async () => {
    const { signal } = streams('GET /api/stream/policies');
    await desk.run(['tail', '--after', '-1'], { signal });
    expect(desk.lastCall().headers['last-event-id']).toBe('-1');
  });

  it('tells of jobs, and what they emit', async () => {
    const { signal } = streams(
      'GET /api/stream/jobs?type=x',
      { ...job, action: 'job.progressed', progress: { percent: 40, note: 'page 2' } },
      {
        ...job,
        action: 'job.failed',
        error: { code: 'timeout', message: 'no answer', validator: null },
        nextAttemptAt: '2026-11-20T18:01:00Z',
      },
      {
        ...job,
        action: 'job.rejected',
        error: { code: 'rejected', message: 'known', validator: 'duplicate' },
      },
      { ...job, action: 'job.completed', result: { case: 'CASE-1' } },
      { ...job, action: 'case.opened', subject: 'CASE-1', data: { kind: 'pothole' } },
    );
    const ran = await desk.run(['tail', '--jobs', 'x'], { signal });
    expect(ran.stdout.replaceAll('2026-11-20T18:00:00Z ', '').trim().split('\n')).toEqual([
      'j x progressed 40% page 2',
      'j x failed: no answer (timeout); again at 2026-11-20T18:01:00Z',
      'j x rejected: known (duplicate)',
      'j x completed {"case":"CASE-1"}',
      'case.opened CASE-1 {"kind":"pothole"} (job j)',
    ]);
  });

  it('tells of events', async () => {
    const event = { ...job, action: 'voucher-paid', subject: 'V-7', data: { n: 7 } };
    const { signal } = streams('GET /api/stream/events', event);
    const ran = await desk.run(['tail', '--events'], { signal });
    expect(ran.stdout).toBe('2026-11-20T18:00:00Z voucher-paid V-7 {"n":7}\n');
  });

  it('goes on by itself after a break, and says so beside', async () => {
    const interrupt = new AbortController();
    let opened = 0;
    desk.hms.answers['GET /api/stream/policies'] = () => ({
      status: 200,
      headers: { 'content-type': 'text/event-stream' },
      chunks: (async function* () {
        opened += 1;
        yield `retry: 10\n${message(opened, change)}`;
        await new Promise((resolve) => setTimeout(resolve, 50));
        if (opened === 1) throw new Error('cut');
        interrupt.abort();
      })(),
    });
    const ran = await desk.run(['tail'], { signal: interrupt.signal });
    expect(ran.stdout.trim().split('\n')).toHaveLength(2);
    expect(ran.stderr).toContain('Connecting again');
    expect(desk.lastCall().headers['last-event-id']).toBe('1');
  });
});

describe('jobs watch', () => {
  it('leaves the job alone with Ctrl-C, and says how to give it up', async () => {
    const { signal } = streams('GET /jobs/j/events', {
      ...job,
      action: 'job.started',
      worker: 'w',
    });
    const ran = await desk.run(['jobs', 'watch', 'j'], { signal });
    expect(ran.code).toBe(130);
    expect(ran.stderr).toContain('hms-svc jobs cancel j');
  });
});

describe('audit', () => {
  const entry = (index: number, at: string) => ({
    index,
    at,
    actor: 'demo-editor',
    action: 'policy.rolledback',
    subject: 'a',
    before: { channel: 'prod', version: '2.0.0' },
    after: { channel: 'prod', version: '1.5.0' },
    requestId: 'r',
    reason: 'smoke',
  });

  it('tells who changed what, from what to what, and why', async () => {
    const page = { items: [entry(7, '2026-11-20T18:00:00Z')], next: null };
    desk.answer('GET /api/audit?action=policy.rolledback&order=asc&limit=50', page);
    const ran = await desk.run(['audit', '--action', 'policy.rolledback', '--order', 'asc']);
    expect(ran.stdout).toBe(
      '7  2026-11-20T18:00:00Z  demo-editor  policy.rolledback  a  2.0.0 in prod → 1.5.0 in prod  "smoke"\n',
    );
  });

  it('goes on with what is new, each entry once', async () => {
    const at = '2026-11-20T18:00:00Z';
    const interrupt = new AbortController();
    desk.answer('GET /api/audit?order=desc&limit=1', { items: [entry(7, at)], next: null });
    const since = `GET /api/audit?since=${encodeURIComponent(at)}&order=asc&limit=200`;
    desk.hms.answers[since] = () => {
      setTimeout(() => interrupt.abort(), 50);
      return {
        status: 200,
        json: { items: [7, 8, 9].map((index) => entry(index, at)), next: null },
      };
    };
    const ran = await desk.run(['audit', '--follow', '--json'], { signal: interrupt.signal });
    expect(ran.code).toBe(130);
    const indexes = ran.stdout
      .trim()
      .split('\n')
      .map((line) => (JSON.parse(line) as { index: number }).index);
    expect(indexes).toEqual([8, 9]);
  });
});

describe('doctor', () => {
  const token = (claims: object) => {
    const payload = Buffer.from(JSON.stringify(claims)).toString('base64url');
    return { access_token: `h.${payload}.s`, expires_in: 3600 };
  };
  const nowS = Math.floor(Date.now() / 1000);
  const good = { exp: nowS + 3600, scope: 'hms/read:policy hms/read:job', tenant: 'demo' };
  beforeEach(() => {
    desk.answer('GET /healthz', { status: 'ok' });
    desk.answer('POST /oauth2/token', token(good));
    desk.hms.answers['GET /api/stream/policies'] = () => ({ status: 200, chunks: ['id: 0\n\n'] });
  });

  const findings = async (nowMs = Date.now()) => {
    const ran = await desk.run(['doctor', '--json'], { nowMs: () => nowMs });
    const { findings: found } = JSON.parse(ran.stdout) as {
      findings: { check: string; ok: boolean; detail: string; fix: string | null }[];
    };
    return { code: ran.code, of: (check: string) => found.find((one) => one.check === check) };
  };

  it('finds that all is well', async () => {
    const ran = await desk.run(['doctor']);
    expect([ran.code, ran.stderr]).toEqual([0, '']);
    const checks = [...ran.stdout.matchAll(/^• (\w+) \.+ ok \(/gm)].map(([, check]) => check);
    expect(checks).toEqual([
      'node',
      'settings',
      'cache',
      'credentials',
      'service',
      'clock',
      'token',
      'scopes',
      'stream',
    ]);
    expect(ran.stdout).toContain('read:policy, read:job');
    expect(ran.stdout).toContain('All is well.');
  });

  it.each([
    ['ahead of', 60_000],
    ['behind', -60_000],
  ])('finds a clock that is %s the service', async (text, offMs) => {
    const { code, of } = await findings(Date.now() + offMs);
    expect(code).toBe(1);
    expect(of('clock')).toMatchObject({ ok: false, fix: expect.stringContaining('NTP') as string });
    expect(of('clock')?.detail).toContain(text);
  });

  it('finds a token that has ended, and one without scopes', async () => {
    desk.answer('POST /oauth2/token', token({ ...good, exp: nowS - 1, scope: '' }));
    const { of } = await findings();
    expect([of('token')?.ok, of('scopes')?.ok]).toEqual([false, false]);
  });

  it('finds that nobody answers, and stops there', async () => {
    const ran = await desk.run(['doctor'], { env: { HMS_URL: 'http://127.0.0.1:1' } });
    expect(ran.code).toBe(1);
    expect(ran.stdout).toMatch(
      /• service \.+ fix \(No answer from http:\/\/127\.0\.0\.1:1\.\)\n +Start the server: npm start/,
    );
    expect(ran.stdout).not.toContain('• token');
  });

  it('finds that there are no credentials', async () => {
    const ran = await desk.run(['doctor'], { env: { HMS_DATA_DIR: 'elsewhere' } });
    expect(ran.code).toBe(1);
    expect(ran.stdout).toMatch(/• credentials \.+ fix \(No credentials/);
  });

  it('finds a cache that cannot be written, and one that is off', async () => {
    const file = `${desk.cwd}/.hms/clients.json`;
    const broken = await desk.run(['doctor'], { env: { HMS_CACHE_DIR: `${file}/cache` } });
    expect(broken.code).toBe(1);
    expect(broken.stdout).toMatch(/• cache \.+ fix \(.*clients\.json\/cache\)\n.*HMS_CACHE_DIR/);
    const off = await desk.run(['doctor'], { env: { HMS_CACHE_DIR: 'off' } });
    expect([off.code, off.stdout.includes('off, by HMS_CACHE_DIR')]).toEqual([0, true]);
  });

  it('finds a stream that ends at once', async () => {
    desk.hms.answers['GET /api/stream/policies'] = () => ({ status: 200, chunks: [] });
    expect((await findings()).of('stream')).toMatchObject({ ok: false });
  });
});
