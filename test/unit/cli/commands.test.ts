import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type CliDesk, startCliDesk } from '../../support/cli-desk.ts';
import { runPage } from '../../support/run-pages.ts';

const moved = {
  id: 'epa-pm25-limit',
  channel: 'prod',
  snapshot: 'v2026-11-20-1801-77aa01bc',
  status: 'stored',
  version: '2.0.0',
  digest: `sha256:77aa01bc${'0'.repeat(56)}`,
  gen: 2,
  effectiveAt: null,
  before: null,
  index: 4,
};
const queued = { run: 184, status: 'queued', waitsFor: null };
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
const ticket = {
  id: 'run-184-approval',
  kind: 'approval',
  run: 184,
  status: 'open',
  choices: ['approve', 'reject'],
  question: 'Roll epa-pm25-limit@2.0.0 out to prod?',
  authors: ['demo-editor'],
  needs: 2,
  decisions: [{ by: 'chief', decision: 'approve', reason: 'seen', at: '2026-11-20T18:00:00Z' }],
  openedAt: '2026-11-20T18:00:00Z',
  expiresAt: '2026-11-23T18:00:00Z',
};
const health = { status: 'green', reason: 'all up', since: '2026-11-20T18:00:00Z', targets: [] };
const service = { name: 'ledger', manifest: { url: 'https://l.example', routes: ['/'] }, health };
const oneOf = (item: unknown) => ({ items: [item], next: null });
const none = { items: [], next: null };

let desk: CliDesk;
beforeEach(async () => {
  desk = await startCliDesk();
  writeFileSync(join(desk.cwd, 'rule.yaml'), 'id: a');
});
afterEach(async () => desk[Symbol.asyncDispose]());

/** Command line, the call it makes, what that answers, who makes it, and what people see of it. */
const asked: readonly (readonly [string, string, unknown, string, string])[] = [
  ['rollback a@1.5.0', 'POST /api/policies/a/rollback', moved, 'editor', 'is in force in prod'],
  ['promote a', 'POST /api/policies/a/promote', queued, 'editor', 'Run #184 is queued.'],
  ['list', 'GET /api/policies?limit=50', none, 'service', 'There is no policy yet'],
  ['history a', 'GET /api/policies/a/history?limit=50', none, 'service', 'Nothing was ever'],
  [
    'run abort 184',
    'POST /api/runs/184/abort',
    runPage({ status: 'aborted' }),
    'editor',
    'is aborted',
  ],
  [
    'run abort 184',
    'POST /api/runs/184/abort',
    runPage({ status: 'failed' }),
    'editor',
    'had ended',
  ],
  ['run list', 'GET /api/runs?limit=20', oneOf(runPage()), 'service', 'epa-pm25-limit@2.0.0'],
  ['run show #184', 'GET /api/runs/184', runPage(), 'service', 'By demo-editor at'],
  ['tickets list', 'GET /api/tickets?limit=50', oneOf(ticket), 'approver', 'Roll epa-pm25-limit'],
  ['tickets show t-1', 'GET /api/tickets/t-1', ticket, 'approver', 'chief: approve, seen'],
  ['tickets reject t-1', 'POST /api/tickets/t-1/decision', ticket, 'approver', '1 of 2'],
  ['tickets close t-1', 'POST /api/tickets/t-1/decision', ticket, 'approver', 'run-184-approval'],
  [
    'approve run-184-review',
    'POST /api/tickets/run-184-review/decision',
    ticket,
    'approver',
    'open',
  ],
  ['audit', 'GET /api/audit?order=desc&limit=50', none, 'auditor', 'Nothing of that'],
  ['jobs list --status dead', 'GET /jobs?status=dead&limit=50', oneOf(job), 'service', 'no answer'],
  ['jobs get j', 'GET /jobs/j', job, 'service', 'hms-svc jobs retry'],
  ['jobs enqueue letter.print', 'POST /jobs', { id: 'j' }, 'service', 'hms-svc jobs watch j'],
  ['jobs retry j', 'POST /jobs/j/retry', job, 'service', 'hms-svc jobs watch j'],
  ['jobs cancel j', 'DELETE /jobs/j', job, 'service', 'j is dead'],
  ['services list --all', 'GET /services?all=true&limit=50', oneOf(service), 'service', 'green'],
  ['services get ledger', 'GET /services/ledger', service, 'service', 'Routes: /'],
  ['services remove ledger', 'DELETE /services/ledger', null, 'editor', 'ledger is removed'],
  ['partners list', 'GET /api/partners?limit=50', none, 'editor', 'There is no partner yet'],
  ['partners remove p', 'DELETE /api/partners/p', null, 'admin', 'p is removed'],
  [
    'partners deliveries 184',
    'GET /api/runs/184/deliveries',
    none,
    'service',
    'It has no partners',
  ],
  [
    'partners redeliver d',
    'POST /api/deliveries/d/redeliver',
    { partner: 'p' },
    'editor',
    'p is told again',
  ],
  ['claims list', 'GET /claims?limit=50', none, 'service', 'There is no claim yet'],
  [
    'claims file rule.yaml',
    'POST /claims',
    { claim_id: 'CLM-1', status: 'QUEUED' },
    'service',
    'CLM-1 is QUEUED',
  ],
  [
    'events publish a-b',
    'POST /events',
    { id: 'e', status: 'accepted' },
    'service',
    'e is accepted',
  ],
];

describe('each command', () => {
  it.each(asked)(
    '%s makes one call, as the one it is for, and tells people',
    async (line, name, json, role, text) => {
      desk.answer(name, json);
      const ran = await desk.run(line.split(' '));
      expect([ran.code, desk.hms.names()]).toEqual([0, [name]]);
      expect(desk.lastCall().authorization).toBe(`Bearer token-of-demo-${role}`);
      expect(ran.stdout).toContain(text);
    },
  );

  it.each(asked)(
    '%s writes one document with --json, and nothing else',
    async (line, name, json) => {
      desk.answer(name, json);
      const ran = await desk.run([...line.split(' '), '--json']);
      expect([ran.code, ran.stderr]).toEqual([0, '']);
      const document = JSON.parse(ran.stdout) as unknown;
      // Of what is removed there is nothing to show but that.
      expect(document).toEqual(json ?? { name: line.split(' ').at(-1), status: 'removed' });
    },
  );
});

describe('api', () => {
  it('writes what came, byte for byte, in a pipe', async () => {
    desk.answer('GET /cases?near=1,2', { a: [1] });
    const ran = await desk.run(['api', 'get', '/cases?near=1,2']);
    expect(ran.stdout).toBe('{"a":[1]}\n');
  });

  it('sends a body of a file, with its type and more headers', async () => {
    desk.answer('PUT /api/reference/x', {});
    await desk.run([
      'api',
      'PUT',
      '/api/reference/x',
      '--data',
      '@rule.yaml',
      '--type',
      'text/x',
      '--header',
      'X-Reason: why',
    ]);
    expect(desk.lastCall()).toMatchObject({ body: 'id: a' });
    expect(desk.lastCall().headers).toMatchObject({ 'content-type': 'text/x', 'x-reason': 'why' });
  });

  it.each([
    [['api', 'FETCH', '/x'], 'A method is'],
    [['api', 'GET', 'https://elsewhere.example/'], 'A path begins with /'],
    [['api', 'GET', '/a b'], 'A path begins with /'],
  ])('%j is not sent', async (args, text) => {
    const ran = await desk.run(args);
    expect([ran.code, desk.hms.calls]).toEqual([2, []]);
    expect(ran.stderr).toContain(text);
  });
});

describe('lists', () => {
  it('go over as many pages as it takes, and say when there is more', async () => {
    const policy = (id: string) => ({ id, createdAt: '', channels: {} });
    desk.answer('GET /api/policies?limit=3', { items: [policy('a'), policy('b')], next: 'c1' });
    desk.answer('GET /api/policies?limit=1&cursor=c1', { items: [policy('c')], next: 'c2' });
    const ran = await desk.run(['list', '--limit', '3']);
    expect(ran.stdout.match(/^[abc] /gm)).toEqual(['a ', 'b ', 'c ']);
    expect(ran.stderr).toContain('There are more: --limit');
  });
});
