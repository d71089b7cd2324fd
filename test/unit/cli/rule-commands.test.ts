import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { packPolicy } from '../../../src/core/packages/pack-policy.ts';
import { type CliDesk, startCliDesk } from '../../support/cli-desk.ts';
import { runPage } from '../../support/run-pages.ts';

const ruleText = 'id: epa-pm25-limit\nversion: 2.0.0\nlimit: 25\n';
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
const stored = {
  id: 'epa-pm25-limit',
  snapshot: moved.snapshot,
  version: '2.0.0',
  status: 'stored',
};
const queued = { run: 184, status: 'queued', waitsFor: null };

let desk: CliDesk;
beforeEach(async () => {
  desk = await startCliDesk();
  writeFileSync(join(desk.cwd, 'rule.yaml'), ruleText);
});
afterEach(async () => desk[Symbol.asyncDispose]());

describe('publish', () => {
  const call = 'POST /api/policies/epa-pm25-limit/publish';

  it('sends a rule as the package that the service would make of it', async () => {
    desk.answer(call, moved);
    const ran = await desk.run([
      'publish',
      'rule.yaml',
      '--channel',
      'prod',
      '--reason',
      'FCC 26-41',
    ]);
    expect(ran.stdout).toBe(
      'epa-pm25-limit@2.0.0 is in force in prod: v2026-11-20-1801-77aa01bc\n',
    );
    expect(desk.lastCall().bytes).toEqual(Buffer.from(packPolicy(Buffer.from(ruleText))));
    expect(desk.lastCall().headers).toMatchObject({
      'content-type': 'application/zip',
      'x-channel': 'prod',
      'x-reason': 'FCC 26-41',
    });
  });

  it('goes to dev unless told, and quotes what must be in force', async () => {
    desk.answer(call, moved);
    await desk.run(['publish', 'rule.yaml', '--if-match', 'v1', '--staged']);
    expect(desk.lastCall().headers).toMatchObject({
      'x-channel': 'dev',
      'if-match': '"v1"',
      'x-rollout': 'staged',
    });
  });

  it.each([
    [{ status: 'unchanged' }, 'was in prod already'],
    [{ effectiveAt: '2027-01-01T00:00:00Z' }, 'in force from 2027-01-01T00:00:00Z'],
    [{ before: 'v1' }, 'in place of v1'],
  ])('tells what became of it: %j', async (change, text) => {
    desk.answer(call, { ...moved, ...change });
    expect((await desk.run(['publish', 'rule.yaml'])).stdout).toContain(text);
  });

  it('follows the run that it became', async () => {
    desk.hms.answers[call] = () => ({ status: 202, json: { ...queued, ...stored } });
    const ended = { endedAt: '2026-11-20T18:02:00Z', outcome: 'It harmed.' };
    desk.answer('GET /api/runs/184', runPage({ status: 'failed', ...ended }));
    const ran = await desk.run(['publish', 'rule.yaml', '--watch']);
    expect(ran.code).toBe(6);
    expect(ran.stdout).toContain('FAILED after 2 min 0 s: It harmed.');
  });

  it('stores it alone when told to', async () => {
    desk.answer('POST /api/policies/epa-pm25-limit/snapshots', stored);
    const ran = await desk.run(['publish', 'rule.yaml', '--store-only']);
    expect(ran.stdout).toContain('epa-pm25-limit@2.0.0 is stored');
  });

  it.each([
    ['nothing', ['publish', 'none.yaml'], 'cannot be read'],
    ['no rule', ['publish', '.hms/clients.json'], 'has no id'],
    [
      'a reason that no header holds',
      ['publish', 'rule.yaml', '--reason', 'ébauche'],
      'plain ASCII',
    ],
  ])('sends nothing of %s', async (_, args, text) => {
    const ran = await desk.run(args);
    expect([ran.code, ran.stdout, desk.hms.calls]).toEqual([2, '', []]);
    expect(ran.stderr).toContain(text);
  });
});

describe('get', () => {
  const headers = { etag: '"v2"', 'x-canary-run': '184', 'x-next-snapshot': 'v3' };
  const rule = { id: 'a', version: '2.0.0', limit: { pm25: 25, unit: 'µg' } };
  beforeEach(() => {
    desk.answer('GET /api/policies/a?channel=prod', rule, { headers });
    desk.answer('GET /api/policies/a/snapshots/2.0.0', rule, { headers: { etag: '"v2"' } });
  });

  it('shows the rule, and beside it what it is', async () => {
    const ran = await desk.run(['get', 'a']);
    expect(JSON.parse(ran.stdout)).toEqual(rule);
    expect(ran.stderr).toContain('v2, in force in prod');
    expect(ran.stderr).toContain('candidate of run #184');
  });

  it.each([
    [['get', 'a', '--field', 'limit/pm25'], '25\n'],
    [['get', 'a', '--field', '/limit/unit'], 'µg\n'],
    [['get', 'a', '--field', 'limit', '--json'], '{\n  "pm25": 25,\n  "unit": "µg"\n}\n'],
    [['get', 'a@2.0.0', '--field', 'version'], '2.0.0\n'],
  ])('%j writes that alone', async (args, text) => {
    expect((await desk.run(args)).stdout).toBe(text);
  });

  it('says with --json which one it is', async () => {
    const ran = await desk.run(['get', 'a', '--json']);
    expect(JSON.parse(ran.stdout)).toEqual({
      id: 'a',
      snapshot: 'v2',
      channel: 'prod',
      canaryRun: 184,
      next: { snapshot: 'v3', effectiveAt: null },
      rule,
    });
  });

  it.each([['nothing'], ['limit/none'], ['constructor'], ['version/length']])(
    'has no field %s',
    async (field) => {
      const ran = await desk.run(['get', 'a', '--field', field]);
      expect([ran.code, ran.stdout]).toEqual([3, '']);
      expect(ran.stderr).toContain('It has: id, version, limit');
    },
  );

  it('asks for what was in force then', async () => {
    await desk.run(['get', 'a', '--at', '2024-08-31', '--known', '2024-09-01T12:00:00+02:00']);
    const { searchParams } = new URL(desk.hms.names()[0]?.slice(4) ?? '', desk.hms.url);
    expect(Object.fromEntries(searchParams)).toEqual({
      channel: 'prod',
      at: '2024-08-31T00:00:00Z',
      known: '2024-09-01T12:00:00+02:00',
    });
  });

  it('does not keep a package that is not what it is called', async () => {
    desk.answer('GET /api/policies/a/snapshots/v2-00000000', rule, {
      headers: { etag: '"v2-00000000"' },
    });
    const ran = await desk.run(['get', 'a@v2-00000000', '--package', 'it.zip']);
    expect(ran.code).toBe(1);
    expect(ran.stderr).toContain('is not that of v2-00000000');
    expect(() => readFileSync(join(desk.cwd, 'it.zip'))).toThrow('ENOENT');
  });

  it.each(['a/b', 'a@', '@1', 'a@b@c', ''])('%j names no policy', async (name) => {
    const ran = await desk.run(['get', name]);
    expect([ran.code, desk.hms.calls]).toEqual([2, []]);
  });
});

describe('pack', () => {
  it('makes the bytes that the service would, and sends nothing', async () => {
    const ran = await desk.run(['pack', 'rule.yaml', '--out', 'rule.zip']);
    expect(ran.stdout).toMatch(/^rule\.zip: epa-pm25-limit@2\.0\.0, sha256:[0-9a-f]{64}\n$/);
    const made = Buffer.from(packPolicy(Buffer.from(ruleText)));
    expect(readFileSync(join(desk.cwd, 'rule.zip'))).toEqual(made);
    const piped = await desk.run(['pack', 'rule.yaml']);
    expect(piped.stdout).toBe(made.toString('utf8'));
    expect(desk.hms.calls).toEqual([]);
  });

  it('writes no ZIP on a terminal', async () => {
    const terminal = { columns: 80, rows: 24 };
    const ran = await desk.run(['pack', 'rule.yaml'], { terminal });
    expect([ran.code, ran.stdout]).toEqual([2, '']);
    expect(ran.stderr).toContain('--out');
  });
});
