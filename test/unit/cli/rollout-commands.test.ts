import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type CliDesk, startCliDesk } from '../../support/cli-desk.ts';
import { runPage, stage } from '../../support/run-pages.ts';

const ruleText = 'id: epa-pm25-limit\nversion: 2.0.0\nlimit: 25\n';
const stored = {
  id: 'epa-pm25-limit',
  snapshot: 'v2026-11-20-1801-77aa01bc',
  version: '2.0.0',
  status: 'stored',
};
const queued = { run: 184, status: 'queued', waitsFor: null };
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

let desk: CliDesk;
beforeEach(async () => {
  desk = await startCliDesk();
  writeFileSync(join(desk.cwd, 'rule.yaml'), ruleText);
});
afterEach(async () => desk[Symbol.asyncDispose]());

describe('run start', () => {
  beforeEach(() => {
    desk.answer('POST /api/policies/epa-pm25-limit/snapshots', stored);
    desk.hms.answers['POST /api/runs'] = () => ({ status: 202, json: queued });
  });

  it.each([
    ['', {}],
    ['--canary', { canary: {} }],
    ['--canary 5 --scope region:NCR', { canary: { percent: 5, scope: 'region:NCR' } }],
    ['--no-canary', { canary: false }],
    ['--observe 5m --allow-silent', { canary: { observeSeconds: 300, allowSilent: true } }],
    ['--receipts 3 --min-decisions 0', { canary: { quorum: 3, minDecisions: 0 } }],
    ['--max-alerts 4', { canary: { maxNewAlerts: 4 } }],
    ['--partners a,b --partners c', { partners: ['a', 'b', 'c'] }],
    ['--approvals 2 --channel test', { approval: 2, channel: 'test' }],
    ['--hotfix --reason wrong', { hotfix: true, reason: 'wrong' }],
  ])('rule.yaml %s asks for %j', async (options, wish) => {
    const ran = await desk.run([
      'run',
      'start',
      'rule.yaml',
      ...options.split(' ').filter(Boolean),
    ]);
    expect([ran.code, ran.stdout.split('\n')[0]]).toEqual([0, 'Run #184 is queued.']);
    const policies = [{ id: 'epa-pm25-limit', snapshot: stored.snapshot }];
    expect(JSON.parse(desk.lastCall().body)).toEqual({ policies, ...wish });
  });

  it('takes what is stored by its name, and stores nothing', async () => {
    await desk.run(['run', 'start', 'epa-pm25-limit@2.0.0']);
    expect(desk.hms.names()).toEqual(['POST /api/runs']);
  });

  it.each([
    [['none.yaml'], 'There is no file none.yaml'],
    [['rule.yaml', 'other@'], 'no ID@SNAPSHOT either'],
    [['rule.yaml', '--hotfix'], 'A hotfix needs a --reason'],
    [['rule.yaml', '--no-canary', '--observe', '5m'], '--no-canary goes with no other'],
  ])('%j sends nothing at all', async (args, text) => {
    const ran = await desk.run(['run', 'start', ...args]);
    expect([ran.code, desk.hms.calls]).toEqual([2, []]);
    expect(ran.stderr).toContain(text);
  });
});

describe('approve', () => {
  const keys = () => desk.run(['keys', 'create', '--name', 'EPA Chief']);
  beforeEach(() => {
    desk.answer('POST /api/policies/epa-pm25-limit/snapshots', stored);
    desk.hms.answers['POST /api/runs'] = () => ({ status: 202, json: queued });
  });

  it('signs a file, stores it, and prints the number of its run', async () => {
    await keys();
    const ran = await desk.run(['approve', 'rule.yaml', '--sign', 'EPA Chief', '--canary', '5']);
    expect(ran.stdout).toContain('Run #184 is queued.\nWatch it: hms-svc run watch 184\n');
    expect(ran.stderr).toContain('signed by EPA Chief');
    expect(desk.hms.names()).toEqual([
      'POST /api/policies/epa-pm25-limit/snapshots',
      'POST /api/runs',
    ]);
    const sent = desk.hms.calls.find(({ name }) => name.endsWith('/snapshots'))?.bytes;
    writeFileSync(join(desk.cwd, 'sent.zip'), sent ?? '');
    expect((await desk.run(['verify', 'sent.zip'])).stdout).toContain(
      'VERIFIED: epa-pm25-limit@2.0.0',
    );
  });

  it('writes a package that others sign after, and starts nothing', async () => {
    await keys();
    await desk.run(['keys', 'create', '--name', 'Director']);
    const first = await desk.run([
      'approve',
      'rule.yaml',
      '--sign',
      'EPA Chief',
      '--out',
      'one.zip',
    ]);
    expect([first.code, first.stdout]).toEqual([
      0,
      'one.zip: epa-pm25-limit@2.0.0, signed by EPA Chief\n',
    ]);
    await desk.run(['approve', 'one.zip', '--sign', 'Director', '--out', 'two.zip']);
    expect(desk.hms.calls).toEqual([]);
    const verified = await desk.run(['verify', 'two.zip', '--quorum', '2', '--json']);
    expect(JSON.parse(verified.stdout)).toMatchObject({ verified: true, version: '2.0.0' });
    const tooFew = await desk.run(['verify', 'one.zip', '--quorum', '2']);
    expect(tooFew.code).toBe(1);
    expect(tooFew.stdout).toContain('NOT VERIFIED: do not run epa-pm25-limit@2.0.0');
  });

  it('counts the keys that are named, and no others', async () => {
    await keys();
    await desk.run(['approve', 'rule.yaml', '--sign', 'EPA Chief', '--out', 'one.zip']);
    const { stdout } = await desk.run(['keys', 'export', 'EPA Chief']);
    writeFileSync(join(desk.cwd, 'chief.pem'), stdout);
    const elsewhere = { env: { XDG_CONFIG_HOME: join(desk.cwd, 'elsewhere') } };
    expect((await desk.run(['verify', 'one.zip'], elsewhere)).code).toBe(1);
    expect((await desk.run(['verify', 'one.zip', '--key', 'chief.pem'], elsewhere)).code).toBe(0);
    await desk.run(['keys', 'add', 'chief.pem', '--name', 'The Chief'], elsewhere);
    expect((await desk.run(['verify', 'one.zip'], elsewhere)).stdout).toContain('PASS (The Chief');
  });

  it('lets a run go on that waits for people', async () => {
    desk.answer('GET /api/runs/184', runPage({ ticket: 'run-184-approval' }));
    desk.answer('POST /api/tickets/run-184-approval/decision', { ...ticket, status: 'approved' });
    const ran = await desk.run(['approve', '184', '--reason', 'as simulated']);
    expect(ran.stdout).toContain('run-184-approval is approved');
    expect(JSON.parse(desk.lastCall().body)).toEqual({
      decision: 'approve',
      reason: 'as simulated',
    });
  });

  it.each([
    [['approve', 'rule.yaml'], 2, 'hms-svc keys create --name "EPA Chief"'],
    [['approve', 'rule.yaml', '--sign', 'Nobody'], 3, 'There is no key "Nobody"'],
    [['approve', '184', '--sign', 'EPA Chief'], 2, '--sign is for a file'],
  ])('%j does nothing', async (args, code, text) => {
    const ran = await desk.run(args);
    expect([ran.code, desk.hms.calls]).toEqual([code, []]);
    expect(ran.stderr).toContain(text);
  });

  it('has nothing to say to a run that asks nothing', async () => {
    desk.answer('GET /api/runs/184', runPage({ stages: [stage('lint', 'running', null)] }));
    const ran = await desk.run(['approve', '184']);
    expect(ran.code).toBe(1);
    expect(ran.stderr).toContain('Run #184 asks nothing: it is canary');
  });
});

describe('keys', () => {
  it('are listed, shown and forgotten, and their private part is never written', async () => {
    await desk.run(['keys', 'create', '--name', 'EPA Chief']);
    const written: string[] = [];
    for (const args of [
      ['list'],
      ['list', '--json'],
      ['show', 'EPA Chief'],
      ['export', 'EPA Chief'],
    ]) {
      const ran = await desk.run(['keys', ...args]);
      expect(ran.code).toBe(0);
      written.push(ran.stdout);
    }
    expect(JSON.parse(written[1] ?? '')).toMatchObject({
      items: [{ name: 'EPA Chief', type: 'ed25519', ours: true }],
    });
    expect(written.join('')).toContain('BEGIN PUBLIC KEY');
    expect(written.join('')).not.toContain('PRIVATE');
    await desk.run(['keys', 'remove', 'EPA Chief']);
    expect((await desk.run(['keys', 'list'])).stdout).toContain('There is no key yet');
  });

  it.each([
    [['create', '--name', '../x'], 2, 'is no name for a key'],
    [['create', '--name', 'epa chief'], 1, 'There is a key "epa chief" already'],
    [['add', 'rule.yaml', '--name', 'x'], 2, 'is no public key'],
    [['show', 'x'], 3, 'There is no key "x"; there are: "EPA Chief"'],
  ])('%j is refused', async (args, code, text) => {
    await desk.run(['keys', 'create', '--name', 'EPA Chief']);
    const ran = await desk.run(['keys', ...args]);
    expect([ran.code, ran.stdout]).toEqual([code, '']);
    expect(ran.stderr).toContain(text);
  });
});
