import { execFile } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type * as z from 'zod';
import { acceptedEvent } from '../../src/contract/event-schemas.ts';
import { filedClaim } from '../../src/contract/claim-schemas.ts';
import { enqueuedJob, job, jobSummaryPage } from '../../src/contract/job-schemas.ts';
import { journalPage } from '../../src/contract/journal-schemas.ts';
import { deliveryPage, partner, partnerPage } from '../../src/contract/partner-schemas.ts';
import {
  historyPage,
  movement,
  policyPage,
  ruleDiff,
  storedSnapshot,
} from '../../src/contract/policy-schemas.ts';
import { createdRun, run as runSchema, runSummaryPage } from '../../src/contract/run-schemas.ts';
import { overallHealth, servicePage, storedService } from '../../src/contract/service-schemas.ts';
import { ticket, ticketPage } from '../../src/contract/ticket-schemas.ts';
import { type CliPlace, runCli } from '../support/run-cli.ts';
import {
  type LocalServer,
  startLocalServer,
  temporaryFolder,
} from '../support/start-local-server.ts';

const root = join(import.meta.dirname, '../..');
const examples = join(root, 'examples');
const epa = join(examples, 'epa-pm25');

/** In their order: later ones see what earlier ones did. */
describe('hms-svc beside the embedded server', () => {
  let server: LocalServer;
  let cwd = '';
  beforeAll(async () => {
    server = await startLocalServer({ env: { HMS_ALLOW_PRIVATE_TARGETS: '1' } });
    cwd = temporaryFolder();
  });
  afterAll(async () => {
    await server.stop();
  });

  const env = () => ({ HMS_URL: server.baseUrl, HMS_DATA_DIR: server.dataDir });
  const run = async (args: readonly string[], place: Partial<CliPlace> = {}) =>
    runCli(args, { cwd, env: env(), ...place });

  /** Done, and its document is as the contract has it. */
  async function told<Schema extends z.ZodType>(
    schema: Schema,
    ...args: string[]
  ): Promise<z.output<Schema>> {
    const ran = await run([...args, '--json']);
    expect([ran.code, ran.stderr], args.join(' ')).toEqual([0, '']);
    return schema.parse(JSON.parse(ran.stdout));
  }

  it('publishes, shows, compares and takes back', async () => {
    const first = await told(movement, 'publish', `${epa}/policy-1.5.0.yaml`, '--channel', 'prod');
    expect(first).toMatchObject({ status: 'stored', version: '1.5.0', channel: 'prod' });
    const again = await told(movement, 'publish', `${epa}/policy-1.5.0.yaml`, '--channel', 'prod');
    expect([again.status, again.snapshot]).toEqual(['unchanged', first.snapshot]);
    const stored = await told(storedSnapshot, 'publish', `${epa}/2.0.0`, '--store-only');
    expect(stored.version).toBe('2.0.0');
    const diff = await told(ruleDiff, 'diff', 'epa-pm25-limit', '1.5.0', '2.0.0');
    expect(diff.changes.map(({ pointer }) => pointer)).toContain('/limit');
    const moved = await told(
      movement,
      'publish',
      `${epa}/2.0.0`,
      '--channel',
      'prod',
      '--reason',
      'a',
    );
    expect(moved.before).toBe(first.snapshot);
    expect((await run(['get', 'epa-pm25-limit', '--field', 'limit'])).stdout).toBe('25\n');
    const back = await told(movement, 'rollback', 'epa-pm25-limit@1.5.0', '--reason', 'smoke');
    expect([back.status, back.snapshot]).toEqual(['rolledback', first.snapshot]);
    expect((await run(['get', 'epa-pm25-limit@2.0.0', '--field', 'limit'])).stdout).toBe('25\n');
  });

  it('lists what there is, and tells what there was', async () => {
    const { items } = await told(policyPage, 'list');
    expect(items.map(({ id }) => id)).toEqual(['epa-pm25-limit']);
    const history = await told(historyPage, 'history', 'epa-pm25-limit');
    expect(history.items.map(({ reason }) => reason)).toEqual(['smoke', 'a', null]);
    const journal = await told(journalPage, 'audit', '--action', 'policy.rolledback');
    expect(journal.items).toHaveLength(1);
  });

  it('promotes from one channel to another', async () => {
    await told(movement, 'publish', `${epa}/2.0.0`, '--channel', 'test');
    const promoted = await told(movement, 'promote', 'epa-pm25-limit', '--to', 'dev');
    expect([promoted.status, promoted.channel]).toEqual(['promoted', 'dev']);
  });

  it('signs, rolls out in stages, follows that, and verifies what is in force', async () => {
    await run(['keys', 'create', '--name', 'EPA Chief']);
    const ran = await run(
      `approve ${epa}/2.0.0 --sign EPA_Chief --canary 5 --scope region:NCR --observe 1s --allow-silent --watch`
        .split(' ')
        .map((word) => word.replace('_', ' ')),
    );
    expect(ran.code).toBe(0);
    expect(ran.stdout.replace(/: [\d.]+ s\n$/, '\n')).toBe(`RUN #1  epa-pm25-limit@2.0.0
• Lint & Schema ............... PASS
• Simulation Replay ........... PASS (98.4% adapted)
• Canary 5% (region NCR) ...... PASS
• Full Rollout ................ PASS
• Partner Notifications ....... skipped (no partners)
DEPLOYMENT SUCCESSFUL
`);
    const verified = await run(['verify', 'epa-pm25-limit', '--json']);
    expect(JSON.parse(verified.stdout)).toMatchObject({ verified: true, version: '2.0.0' });
    const { snapshot } = JSON.parse(verified.stdout) as { snapshot: string };
    const kept = await run(['get', `epa-pm25-limit@${snapshot}`, '--package', 'kept.zip']);
    expect(kept.code).toBe(0);
    expect((await run(['verify', 'kept.zip'])).stdout).toContain('VERIFIED');
    expect((await run(['verify', 'epa-pm25-limit@1.5.0'])).code).toBe(1);
  });

  it('asks people, and takes their answer', async () => {
    rule('1.0.0');
    const created = await told(createdRun, 'run', 'start', 'rule.yaml', '--approvals', '1');
    const open = await until(async () => (await told(ticketPage, 'tickets', 'list')).items[0]);
    expect(await told(ticket, 'tickets', 'show', open.id)).toMatchObject({ run: created.run });
    const own = await run(['approve', String(created.run), '--as', 'editor']);
    expect(own.code).toBe(4);
    const decided = await told(ticket, 'tickets', 'reject', open.id, '--reason', 'an old one');
    expect(decided.status).toBe('rejected');
    const watched = await run(['run', 'watch', String(created.run)]);
    expect(watched.code).toBe(6);
    expect(watched.stdout).toMatch(/^REJECTED after/m);
    const { items } = await told(runSummaryPage, 'run', 'list');
    expect(items.map(({ run: number }) => number)).toEqual([2, 1]);
  });

  it('stops a run', async () => {
    rule('1.0.0');
    await told(movement, 'publish', 'rule.yaml', '--channel', 'prod');
    rule('1.0.1');
    const options = ['--canary', '5', '--observe', '1h', '--reason', 'x'];
    const created = await told(createdRun, 'run', 'start', 'rule.yaml', ...options);
    const number = String(created.run);
    await until(async () => {
      const { status } = await told(runSchema, 'run', 'show', number);
      return status === 'canary' ? status : undefined;
    });
    const aborted = await told(runSchema, 'run', 'abort', number, '--reason', 'enough');
    expect(aborted.status).toBe('aborted');
    const watched = await run(['run', 'watch', number]);
    expect(watched.code).toBe(6);
    expect(watched.stdout).toMatch(/^ABORTED after/m);
  });

  it('tells partners', async () => {
    const made = JSON.stringify({ kind: 'email', to: ['air@state.example'] });
    const put = await run(['partners', 'put', 'maine', '-', '--json'], { stdin: made });
    expect(partner.parse(JSON.parse(put.stdout))).toMatchObject({ name: 'maine', kind: 'email' });
    expect((await told(partnerPage, 'partners', 'list')).items).toHaveLength(1);
    expect((await told(deliveryPage, 'partners', 'deliveries', '1')).items).toEqual([]);
    expect((await run(['partners', 'remove', 'maine'])).code).toBe(0);
    expect((await run(['partners', 'redeliver', 'none'])).code).toBe(3);
  });

  it('has work done, and follows it', async () => {
    const put = async (name: string) =>
      run([
        'api',
        'PUT',
        `/api/reference/${name}`,
        '--type',
        'application/geo+json',
        '--data',
        `@${examples}/pothole/${name}.geojson`,
      ]);
    expect([(await put('hospitals')).code, (await put('school-bus-routes')).code]).toEqual([0, 0]);
    const report = { lat: 38.5012, lon: -98.2004, description: 'Deep hole' };
    const enqueue = ['jobs', 'enqueue', 'pothole.report', JSON.stringify(report), '--watch'];
    const done = await run(enqueue);
    expect(done.code).toBe(0);
    expect(done.stdout).toMatch(/ pothole\.report completed \{"case":"CASE-1"/);
    const again = await run(enqueue);
    expect(again.code).toBe(6);
    expect(again.stderr).toContain('The job is rejected: CASE-1 is open for a pothole');
    const near = await run(['api', 'GET', '/cases?near=38.5012,-98.2004']);
    expect(near.stdout).toContain('"CASE-1"');
  });

  it('waits for workers outside, and gives up', async () => {
    const made = await told(enqueuedJob, 'jobs', 'enqueue', 'letter.print', '{"to": "Ravi"}');
    expect((await told(job, 'jobs', 'get', made.id)).status).toBe('queued');
    const listed = await told(jobSummaryPage, 'jobs', 'list', '--type', 'letter.print');
    expect(listed.items.map(({ id }) => id)).toEqual([made.id]);
    expect((await run(['jobs', 'retry', made.id])).code).toBe(0);
    const cancelled = await run(['jobs', 'cancel', made.id, '--json', '--reason', 'not needed']);
    expect(job.parse(JSON.parse(cancelled.stdout)).status).toBe('cancelled');
    expect((await run(['jobs', 'watch', made.id])).code).toBe(6);
  });

  it('files claims, and keeps what was filed', async () => {
    const pdf = join(examples, 'claims/discharge-papers.pdf');
    const filed = await told(filedClaim, 'claims', 'file', pdf, '--title', 'Hearing');
    const shown = await run(['claims', 'get', filed.claim_id, '--file', 'kept.pdf']);
    expect(shown.stdout).toContain('QUEUED  Hearing');
    expect(readFileSync(join(cwd, 'kept.pdf'))).toEqual(readFileSync(pdf));
    expect((await run(['claims', 'list'])).stdout).toContain(filed.claim_id);
    const refused = await run(['claims', 'file', join(root, 'README.md')]);
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain('  byte:0  ');
  });

  it('registers services, and tells how they are', async () => {
    writeFileSync(join(cwd, 'm.yaml'), 'name: ledger\nurl: http://127.0.0.1:9\n');
    writeFileSync(join(cwd, 'ok.yaml'), 'name: ledger\nurl: http://127.0.0.1:49151\n');
    const refused = await run(['services', 'register', 'm.yaml']);
    expect([refused.code, refused.stderr.includes('/url')]).toEqual([1, true]);
    const made = await told(storedService, 'services', 'register', 'ok.yaml');
    expect(made.status).toBe('registered');
    expect((await told(servicePage, 'services', 'list', '--all')).items).toHaveLength(1);
    expect((await run(['services', 'get', 'ledger'])).stdout).toContain('red');
    const health = await run(['services', 'health', '--json']);
    expect(health.code).toBe(6);
    expect(overallHealth.parse(JSON.parse(health.stdout)).status).toBe('red');
    expect((await run(['services', 'remove', 'ledger'])).code).toBe(0);
    const event = ['events', 'publish', 'voucher-submitted', '{"voucher": 7}', '--id', 'v-7'];
    expect(await told(acceptedEvent, ...event)).toEqual({ id: 'v-7', status: 'accepted' });
  });

  it.each([
    [['tail', '--after', '-1'], 'epa-pm25-limit@1.5.0 published by demo-editor'],
    [['tail', '--jobs', '--after', '-1'], 'case.opened CASE-1'],
    [['tail', '--events', '--after', '-1'], 'voucher-submitted event:v-7 {"voucher":7}'],
  ])('%j hears all from the beginning, until Ctrl-C', async (args, text) => {
    const interrupt = new AbortController();
    let written = '';
    const onOutput = (piece: string) => {
      written += piece;
      if (written.includes(text)) interrupt.abort();
    };
    const ran = await run(args, { signal: interrupt.signal, onOutput });
    expect([ran.code, ran.stderr]).toEqual([130, '']);
  });

  it('logs in elsewhere, as a profile, and finds nothing wrong', async () => {
    const clients = JSON.parse(readFileSync(join(server.dataDir, 'clients.json'), 'utf8')) as {
      client_id: string;
      client_secret: string;
    }[];
    const { client_secret: secret = '' } =
      clients.find(({ client_id: id }) => id === 'demo-editor') ?? {};
    const apart = { cwd: join(cwd, 'apart'), env: {} };
    mkdirSync(apart.cwd);
    const login = ['login', '--url', server.baseUrl, '--client-id', 'demo-editor'];
    const made = await run(login, { ...apart, stdin: secret });
    expect([made.code, made.stderr]).toEqual([0, '']);
    expect((await run(['list'], apart)).stdout).toContain('epa-pm25-limit');
    expect((await run(['token'], apart)).stdout).toMatch(/^ey[\w.-]+\n$/);
    const doctor = await run(['doctor'], apart);
    expect(doctor.stdout).toContain('demo-editor at');
    expect([doctor.code, doctor.stdout.includes(secret)]).toEqual([0, false]);
    const wrong = await run(login, { ...apart, stdin: 'wrong' });
    expect(wrong.code).toBe(4);
    expect((await run(['logout'], apart)).code).toBe(0);
  });

  it('is a program of its own', async () => {
    const program = join(root, 'sdk/bin/hms-svc.js');
    const options = { cwd, env: { ...env(), PATH: process.env['PATH'], XDG_CONFIG_HOME: cwd } };
    const ran = await promisify(execFile)(process.execPath, [program, 'list'], options);
    expect(ran.stdout).toContain('epa-pm25-limit');
    const failed = promisify(execFile)(process.execPath, [program, 'get', 'none'], options);
    await expect(failed).rejects.toMatchObject({ code: 3, stdout: '' });
    // Who reads has enough after one line.
    const piped = `"${process.execPath}" "${program}" --help | head -1; echo "\${PIPESTATUS[0]}"`;
    const { stdout, stderr } = await promisify(execFile)('bash', ['--norc', '-c', piped], options);
    expect([stdout, stderr]).toEqual(['Usage: hms-svc [options] [command]\n0\n', '']);
  });

  function rule(version: string): void {
    writeFileSync(join(cwd, 'rule.yaml'), `id: b\nversion: ${version}\nlimit: 1\n`);
  }

  async function until<T>(look: () => Promise<T | undefined>): Promise<T> {
    for (const startMs = performance.now(); performance.now() - startMs < 20_000;) {
      const found = await look();
      if (found !== undefined) return found;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    throw new Error('it did not come');
  }
});
