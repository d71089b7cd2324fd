import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type CliDesk, startCliDesk } from '../../support/cli-desk.ts';

const job = {
  id: '01a21e96-21b8-77a4-bb53-5b59bb2241a1',
  type: 'letter.print',
  status: 'dead',
  actor: 'demo-service',
  subject: 'maya',
  createdAt: '2026-11-20T18:00:00Z',
  attempts: 5,
  maxAttempts: 5,
  progress: null,
  result: null,
  error: { code: 'timeout', message: 'no answer', validator: null },
  history: [
    { at: '2026-11-20T18:00:00Z', status: 'dead', attempt: 5, by: 'w', detail: 'no answer' },
  ],
};
const health = { status: 'green', reason: 'all up', since: '2026-11-20T18:00:00Z', targets: [] };
const service = { name: 'ledger', manifest: { url: 'https://l.example', routes: ['/'] }, health };

let desk: CliDesk;
beforeEach(async () => {
  desk = await startCliDesk();
});
afterEach(async () => desk[Symbol.asyncDispose]());

describe('jobs enqueue', () => {
  beforeEach(() => {
    desk.hms.answers['POST /jobs'] = () => ({ status: 202, json: { id: 'j', status: 'queued' } });
  });

  it.each<[string, readonly string[], string, object]>([
    ['on the command line', ['{"a": 1}'], '', { data: { a: 1 } }],
    ['of a file', ['@data.json'], '', { data: [1] }],
    ['of standard input', ['-'], '{"b": 2}', { data: { b: 2 } }],
    ['not there', [], '', { data: null }],
    [
      'later',
      ['1', '--delay', '5m', '--priority', 'low'],
      '',
      { delaySeconds: 300, priority: 'low' },
    ],
  ])('sends data %s', async (_, args, stdin, expected) => {
    writeFileSync(join(desk.cwd, 'data.json'), '[1]');
    const ran = await desk.run(['jobs', 'enqueue', 'letter.print', ...args], { stdin });
    expect(ran.code).toBe(0);
    expect(JSON.parse(desk.lastCall().body)).toMatchObject({ type: 'letter.print', ...expected });
  });

  it('sends its key, and on whose behalf it is', async () => {
    await desk.run(['jobs', 'enqueue', 'x', '--key', 'k-1', '--subject', 'maya']);
    expect(desk.lastCall().headers).toMatchObject({
      'idempotency-key': 'k-1',
      'x-subject': 'maya',
    });
  });

  it('sends nothing that is no JSON', async () => {
    const ran = await desk.run(['jobs', 'enqueue', 'x', '{a: 1}']);
    expect([ran.code, desk.hms.calls]).toEqual([2, []]);
    expect(ran.stderr).toContain('Quote it for the shell');
  });

  it.each([
    ['completed', 0],
    ['rejected', 6],
    ['dead', 6],
    ['cancelled', 6],
  ])('follows it until it is %s: %i', async (status, code) => {
    const step = { job: 'j', type: 'x', at: '2026-11-20T18:00:00Z', attempt: 1, reason: null };
    const steps = [
      { ...step, action: 'job.started', worker: 'w' },
      { ...step, action: `job.${status}` },
    ];
    desk.hms.answers['GET /jobs/j/events'] = () => ({
      status: 200,
      headers: { 'content-type': 'text/event-stream' },
      chunks: steps.map((one, place) => `id: ${place}\ndata: ${JSON.stringify(one)}\n\n`),
    });
    desk.answer('GET /jobs/j', { ...job, status });
    const ran = await desk.run(['jobs', 'enqueue', 'x', '--watch']);
    expect(ran.code).toBe(code);
    expect(ran.stdout.split('\n').slice(0, 2)).toEqual([
      '2026-11-20T18:00:00Z j x started by w, attempt 1',
      `2026-11-20T18:00:00Z j x ${status}`,
    ]);
  });
});

describe('services', () => {
  it('are registered by the name that their manifest has', async () => {
    writeFileSync(join(desk.cwd, 'm.yaml'), 'name: ledger\nurl: https://l.example\n');
    desk.answer('PUT /services/ledger', { ...service, status: 'registered' });
    const ran = await desk.run(['services', 'register', 'm.yaml']);
    expect(ran.stdout).toBe('ledger is registered, and green: all up\n');
    expect(desk.lastCall().headers['content-type']).toBe('application/yaml');
  });

  it.each([
    ['no name', 'url: https://l.example\n', 'm.yaml has no name'],
    ['no YAML', 'a: [', 'm.yaml is no YAML'],
  ])('are not with %s', async (_, text, message) => {
    writeFileSync(join(desk.cwd, 'm.yaml'), text);
    const ran = await desk.run(['services', 'register', 'm.yaml']);
    expect([ran.code, desk.hms.calls]).toEqual([2, []]);
    expect(ran.stderr).toContain(message);
  });

  it.each([
    ['green', 0],
    ['yellow', 0],
    ['red', 6],
  ])('that are %s end health with %i', async (status, code) => {
    const one = { status, reason: 'because' };
    desk.answer('GET /health', { status, services: { ledger: one }, parts: { relay: one } });
    const ran = await desk.run(['services', 'health']);
    expect(ran.code).toBe(code);
    expect(ran.stdout).toContain(`• relay ${status}: because`);
  });
});

describe('partners put', () => {
  it('sends what the file says, as an administrator, and never shows its secret', async () => {
    const secret = 'whsec_bm90IGZvciBhbnlib2R5IHRvIHNlZQ==';
    const partner = { kind: 'webhook', url: 'https://maine.example', secret };
    desk.answer('PUT /api/partners/maine', { name: 'maine', kind: 'webhook', url: partner.url });
    const ran = await desk.run(['partners', 'put', 'maine', '-'], {
      stdin: JSON.stringify(partner),
    });
    expect(ran.stdout).toBe('maine is told by webhook: https://maine.example\n');
    expect(JSON.parse(desk.lastCall().body)).toEqual(partner);
    const broken = await desk.run(['partners', 'put', 'maine', '-'], {
      stdin: `{"secret": ${secret}`,
    });
    expect(broken.code).toBe(2);
    expect(broken.stderr).not.toContain(secret);
  });
});
