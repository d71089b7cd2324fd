import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Webhook } from 'standardwebhooks';
import { callKeyOf, signCall } from '../../../src/core/gateway/sign-call.ts';
import { runCli } from '../../support/run-cli.ts';
import { type FakeHms, startFakeHms, writeClients } from '../../support/start-fake-hms.ts';

const secret = `whsec_${Buffer.alloc(32, 9).toString('base64')}`;
const service = 'services/payment-ledger';

describe('hms deploy', () => {
  const scaffold = mkdtempSync(join(tmpdir(), 'hms-scaffold-'));
  let cwd = '';
  let hms: FakeHms;
  let registered: Record<string, unknown> | undefined;
  beforeAll(async () => {
    await runCli(['new-service', 'payment-ledger'], { cwd: scaffold });
  });
  afterAll(() => rmSync(scaffold, { recursive: true, force: true }));
  beforeEach(async () => {
    cwd = mkdtempSync(join(tmpdir(), 'hms-deploy-'));
    registered = undefined;
    await writeClients(join(cwd, '.hms'));
    cpSync(scaffold, cwd, { recursive: true });
    hms = await startFakeHms();
    hms.answers['PUT /services/payment-ledger'] = ({ body }) => {
      registered = JSON.parse(body) as Record<string, unknown>;
      return { status: 200, json: {} };
    };
    hms.answers['DELETE /services/payment-ledger'] = () => {
      const status = registered === undefined ? 404 : 204;
      registered = undefined;
      return { status };
    };
    hms.answers['POST /services/payment-ledger/secret'] = () => ({ status: 200, json: { secret } });
    hms.answers['GET /health'] = async () => {
      const status = (await statusOf('/health')) === 200 ? 'green' : 'red';
      return { status: 200, json: { services: { 'payment-ledger': { status, reason: '' } } } };
    };
  });
  afterEach(async () => {
    if (registered !== undefined) await run('deploy', 'payment-ledger', '--stop');
    await hms[Symbol.asyncDispose]();
    rmSync(cwd, { recursive: true, force: true });
  });

  async function run(...args: string[]) {
    return runCli(args, { cwd, env: { HMS_URL: hms.url, PATH: process.env['PATH'] ?? '' } });
  }

  /** Of what is registered; 0 when nothing answers. */
  async function statusOf(path: string, init: RequestInit = {}): Promise<number> {
    return fetch(`${String(registered?.['url'])}${path}`, init).then(
      ({ status }) => status,
      () => 0,
    );
  }

  /** As the gateway calls it. */
  function signed(path: string): Record<string, string> {
    const call = { timestampS: Math.floor(Date.now() / 1000), requestId: 'r', method: 'GET', path };
    const who = { tenant: 'demo', actor: 'maya', subject: 'maya' };
    const named = Object.entries(who).map(([name, value]) => [`x-hms-${name}`, value]);
    const signature = signCall([callKeyOf(secret)], { ...call, ...who, query: '' });
    return Object.fromEntries([['x-request-id', 'r'], ...named, ...signature]);
  }

  const processOf = () =>
    JSON.parse(readFileSync(join(cwd, '.hms', service, 'process.json'), 'utf8')) as { pid: number };

  it('runs the service, registers it as an editor, and tells how to call it', async () => {
    const ran = await run('deploy', 'payment-ledger');
    expect(ran.stderr).toBe('');
    expect(ran.stdout).toContain(`curl -sS ${hms.url}/svc/payment-ledger/hello -H `);
    expect(hms.names().slice(0, 4)).toEqual([
      'PUT /services/payment-ledger',
      'POST /services/payment-ledger/secret',
      'PUT /services/payment-ledger',
      'GET /health',
    ]);
    expect(hms.calls.at(-1)?.authorization).toBe('Bearer token-of-demo-editor');
    expect(registered).toMatchObject({ name: 'payment-ledger', routes: ['/hello'] });
    expect(await statusOf('/hello')).toBe(401);
    expect(await statusOf('/hello', { headers: signed('/hello') })).toBe(200);
    const body = '{"type":"greeting-sent","data":{}}';
    const at = new Date();
    const headers = {
      'webhook-id': 'e1',
      'webhook-timestamp': String(Math.floor(at.getTime() / 1000)),
      'webhook-signature': new Webhook(secret).sign('e1', at, body),
    };
    expect(await statusOf('/events', { method: 'POST', body, headers })).toBe(204);
  });

  it('takes the place of the one before', async () => {
    await run('deploy', 'payment-ledger');
    const before = { ...processOf(), url: registered?.['url'] };
    await run('deploy', `./${service}`);
    expect(registered?.['url']).not.toBe(before.url);
    expect(processOf().pid).not.toBe(before.pid);
    await expect(fetch(`${String(before.url)}/health`)).rejects.toThrow('fetch failed');
    expect(await statusOf('/health')).toBe(200);
  });

  it('stops, and stops nothing else', async () => {
    await run('deploy', 'payment-ledger');
    const url = String(registered?.['url']);
    const stopped = await run('deploy', 'payment-ledger', '--stop');
    expect(stopped.stdout).toBe('payment-ledger: stopped, and no longer registered.\n');
    await expect(fetch(`${url}/health`)).rejects.toThrow('fetch failed');
    expect(existsSync(join(cwd, '.hms', service, 'process.json'))).toBe(false);
    // The pid was given to another process: this one, which lives to say so.
    const other = JSON.stringify({ pid: process.pid, mark: '--hms-service=payment-ledger-x' });
    writeFileSync(join(cwd, '.hms', service, 'process.json'), other);
    const again = await run('deploy', 'payment-ledger', '--stop');
    expect(again.stdout).toBe('payment-ledger: not running, and not registered.\n');
  });

  it('starts nothing where the server may not call this machine, and says what to do', async () => {
    hms.answers['PUT /services/payment-ledger'] = () => ({
      status: 400,
      json: { code: 'invalid_request', detail: 'No.', errors: [{ pointer: '/url', detail: 'no' }] },
    });
    const ran = await run('deploy', 'payment-ledger');
    expect(ran).toMatchObject({ code: 1, stdout: '' });
    expect(ran.stderr).toContain('HMS_ALLOW_PRIVATE_TARGETS=1 npm start');
    expect(existsSync(join(cwd, '.hms', service))).toBe(false);
  });

  it('says what is wrong with a manifest, by place', async () => {
    hms.answers['PUT /services/payment-ledger'] = () => ({
      status: 400,
      json: {
        code: 'invalid_request',
        detail: 'Not valid.',
        errors: [{ pointer: '/routes/0', detail: 'no path' }],
      },
    });
    const ran = await run('deploy', 'payment-ledger');
    expect(ran.stderr).toContain('Not valid.');
    expect(ran.stderr).toContain('\n  /routes/0  no path\n');
  });

  it('leaves nothing behind of a service that does not start', async () => {
    writeFileSync(join(cwd, service, 'service.ts'), `throw new Error('no database');`);
    const ran = await run('deploy', 'payment-ledger');
    expect(ran.code).toBe(1);
    expect(ran.stderr).toContain('payment-ledger ended by itself');
    expect(ran.stderr).toContain('no database');
    expect(registered).toBeUndefined();
  });

  it('says how to make what is not there', async () => {
    const ran = await run('deploy', 'ledger');
    expect([ran.code, ran.stdout]).toEqual([2, '']);
    expect(ran.stderr).toContain('hms-svc new-service ledger');
    expect(hms.calls).toEqual([]);
  });

  it.each([
    [['deploy', 'payment-ledger', '--stage', 'prod'], '--stage and --outputs go with --aws'],
    [['deploy', 'payment-ledger', '--outputs', 'o.json'], 'go with --aws'],
    [['deploy', 'Ledger'], 'is no name for a service'],
    [['deploy', './nowhere'], 'Cannot read nowhere/manifest.yaml'],
  ])('%j is not understood', async (args, text) => {
    const ran = await run(...args);
    expect([ran.code, ran.stdout, hms.calls]).toEqual([2, '', []]);
    expect(ran.stderr).toContain(text);
  });

  it('runs nothing here for a server that is elsewhere', async () => {
    const elsewhere = { HMS_URL: 'https://hms.example', HMS_TOKEN: 'mine' };
    const ran = await runCli(['deploy', 'payment-ledger'], { cwd, env: elsewhere });
    expect(ran.code).toBe(2);
    expect(ran.stderr).toContain('Next: Run it on AWS: hms-svc deploy NAME --aws');
  });

  it('has the checkout deploy it on AWS, which says what it is missing', async () => {
    const ran = await run('deploy', 'payment-ledger', '--aws', '--stop');
    expect([ran.code, ran.stdout, hms.calls]).toEqual([2, '', []]);
    expect(ran.stderr).toContain('Error: Set HMS_TOKEN_URL, HMS_CLIENT_ID, HMS_CLIENT_SECRET:');
    expect(ran.stderr).toContain('Next: --outputs FILE');
  });
});
