import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { cliFolder, type CliPlace, runCli } from '../../support/run-cli.ts';
import { type FakeHms, startFakeHms, writeClients } from '../../support/start-fake-hms.ts';

const secret = 'a-secret-that-nobody-may-see-1234';

describe('who a command is', () => {
  let hms: FakeHms;
  let folder: ReturnType<typeof cliFolder>;
  beforeEach(async () => {
    folder = cliFolder();
    hms = await startFakeHms();
    const page = { items: [], next: null };
    hms.answers['GET /api/policies?limit=50'] = () => ({ status: 200, json: page });
    hms.answers['GET /api/audit?order=desc&limit=50'] = () => ({ status: 200, json: page });
    hms.answers['GET /openapi.json'] = () => ({ status: 200, json: openApi(hms.url) });
  });
  afterEach(async () => {
    await hms[Symbol.asyncDispose]();
    folder.remove();
  });

  const run = async (args: readonly string[], place: Partial<CliPlace> = {}) =>
    runCli(args, { cwd: folder.cwd, ...place });
  const local = () => ({ HMS_URL: hms.url });
  const authorization = () =>
    hms.calls.findLast(({ name }) => name !== 'POST /oauth2/token')?.authorization;
  const login = async (name: string, id: string) =>
    run(['login', '--profile', name, '--url', hms.url, '--client-id', id], {
      stdin: `${secret}\n`,
    });

  it('is the client of its role, on a server of this machine', async () => {
    await writeClients(join(folder.cwd, '.hms'));
    await run(['list'], { env: local() });
    expect(authorization()).toBe('Bearer token-of-demo-service');
    await run(['audit'], { env: local() });
    expect(authorization()).toBe('Bearer token-of-demo-auditor');
    await run(['list', '--as', 'admin'], { env: local() });
    expect(authorization()).toBe('Bearer token-of-demo-admin');
  });

  it('finds the server of this machine by PORT, and its folder by HMS_DATA_DIR', async () => {
    await writeClients(join(folder.cwd, 'data'));
    const { port } = new URL(hms.url);
    const ran = await run(['list'], { env: { PORT: port, HMS_DATA_DIR: 'data' } });
    expect([ran.code, ran.stderr]).toEqual([0, '']);
  });

  it('is the environment when that says so, before any profile', async () => {
    await login('default', 'of-profile');
    const given = { ...local(), HMS_CLIENT_ID: 'of-environment', HMS_CLIENT_SECRET: secret };
    await run(['list'], { env: given });
    expect(authorization()).toBe('Bearer token-of-of-environment');
    await run(['list'], { env: { ...local(), HMS_TOKEN: 'mine' } });
    expect(authorization()).toBe('Bearer mine');
    await run(['list', '--profile', 'default'], { env: given });
    expect(authorization(), 'unless a profile is named').toBe('Bearer token-of-of-profile');
  });

  it('is a profile: the one named, that of HMS_PROFILE, or the latest', async () => {
    await login('a', 'client-a');
    await login('b', 'client-b');
    const seen: (string | undefined)[] = [];
    for (const [args, env] of [
      [['list'], {}],
      [['list'], { HMS_PROFILE: 'a' }],
      [['list', '--profile', 'a'], { HMS_PROFILE: 'b' }],
    ] as const) {
      await run(args, { env });
      seen.push(authorization());
    }
    expect(seen.map((one) => one?.slice(-8))).toEqual(['client-b', 'client-a', 'client-a']);
    await run(['profiles', 'a']);
    await run(['list']);
    expect(authorization()).toBe('Bearer token-of-client-a');
  });

  it('is the server of this machine with --as, whatever profile there is', async () => {
    await login('a', 'client-a');
    await writeClients(join(folder.cwd, '.hms'));
    const { port } = new URL(hms.url);
    await run(['list', '--as', 'editor'], { env: { PORT: port } });
    expect(authorization()).toBe('Bearer token-of-demo-editor');
  });

  it.each<[string, readonly string[], Readonly<Record<string, string>>, number, string]>([
    ['no server and no login', ['list'], {}, 4, 'npm start'],
    ['a service elsewhere', ['list'], { HMS_URL: 'https://hms.example' }, 4, 'hms-svc login --url'],
    [
      '--as elsewhere',
      ['list', '--as', 'x'],
      { HMS_URL: 'https://hms.example' },
      4,
      'hms-svc login',
    ],
    ['secrets in the clear', ['list'], { HMS_URL: 'http://hms.example' }, 2, 'use https:'],
    ['no address', ['list'], { HMS_URL: 'hms.example' }, 2, 'is no https: address'],
    ['half a client', ['list'], { HMS_CLIENT_ID: 'x' }, 2, 'Set both'],
    ['no such profile', ['list', '--profile', 'x'], {}, 2, 'hms-svc login --profile x'],
    ['two at once', ['list', '--profile', 'x', '--as', 'y'], {}, 2, '--as is for the server'],
    [
      'no name for a profile',
      ['login', '--profile', '../x', '--url', 'https://a'],
      {},
      2,
      'is no name',
    ],
    ['nobody to log out', ['logout'], {}, 2, 'Nobody is logged in'],
  ])('is told what to do with %s', async (_, args, env, code, text) => {
    const ran = await run(args, { env });
    expect([ran.code, ran.stdout]).toEqual([code, '']);
    expect(ran.stderr).toContain(text);
  });

  it('names the clients that there are', async () => {
    await writeClients(join(folder.cwd, '.hms'));
    const ran = await run(['list', '--as', 'nobody'], { env: local() });
    expect(ran.code).toBe(2);
    expect(ran.stderr).toContain('demo-approver');
  });

  it('does not read secrets that others may read', async () => {
    await writeClients(join(folder.cwd, '.hms'));
    chmodSync(join(folder.cwd, '.hms/clients.json'), 0o644);
    const ran = await run(['list'], { env: local() });
    expect(ran.code).toBe(4);
    expect(ran.stderr).toContain('chmod 600');
    expect(hms.calls).toEqual([]);
  });

  it('takes the token of no server, and says that none answers', async () => {
    await writeClients(join(folder.cwd, '.hms'));
    const ran = await run(['list'], { env: { HMS_URL: 'http://127.0.0.1:1' } });
    expect(ran.code).toBe(5);
    expect(ran.stderr).toContain('Next: Start the server: npm start');
  });

  describe('login', () => {
    const file = () => join(folder.cwd, 'config/hms-svc/profiles.json');

    it('keeps a profile for this user alone, when the issuer takes it', async () => {
      const ran = await login('prod', 'abc');
      expect(ran).toMatchObject({ code: 0, stderr: '' });
      expect(ran.stdout).toContain('abc is logged in');
      expect(statSync(file()).mode & 0o777).toBe(0o600);
      expect(statSync(join(folder.cwd, 'config/hms-svc')).mode & 0o777).toBe(0o700);
      expect(readdirSync(join(folder.cwd, 'config/hms-svc')), 'nothing half written').toEqual([
        'profiles.json',
      ]);
      expect(JSON.parse(readFileSync(file(), 'utf8'))).toEqual({
        current: 'prod',
        profiles: {
          prod: {
            url: hms.url,
            tokenUrl: `${hms.url}/oauth2/token`,
            clientId: 'abc',
            clientSecret: secret,
          },
        },
      });
    });

    it('keeps nothing when the issuer does not', async () => {
      hms.answers['POST /oauth2/token'] = () => ({
        status: 401,
        json: { error: 'invalid_client' },
      });
      const ran = await login('prod', 'abc');
      expect([ran.code, ran.stdout]).toEqual([4, '']);
      expect(ran.stderr).toContain('invalid_client');
      expect(() => statSync(file())).toThrow('ENOENT');
    });

    it('asks for what is missing on a terminal, and does not show the secret', async () => {
      const stdin = Object.assign(new PassThrough(), { isTTY: true, setRawMode: () => undefined });
      const asked = run(['login'], { stdin });
      for (const line of [`${hms.url}\r`, 'abx\u007fc\r', `${secret}\r`]) {
        stdin.write(line);
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
      const ran = await asked;
      expect(ran.code).toBe(0);
      expect(ran.stderr).toContain('URL of the service: ');
      expect(ran.stderr).toContain('Secret of abc (not shown): ');
      expect(ran.stdout + ran.stderr).not.toContain(secret);
      expect(readFileSync(file(), 'utf8')).toContain('"clientId": "abc"');
    });

    it('changes nothing when Ctrl-C is typed', async () => {
      const stdin = Object.assign(new PassThrough(), { isTTY: true, setRawMode: () => undefined });
      const asked = run(['login', '--url', hms.url, '--client-id', 'abc'], { stdin });
      stdin.write('half\u0003');
      const ran = await asked;
      expect(ran.code).toBe(130);
      expect(() => statSync(file())).toThrow('ENOENT');
    });

    it.each([
      [['login', '--client-id', 'a'], 'Name the service'],
      [['login', '--url', 'https://a.example', '--token-url', 'http://b.example'], '--token-url'],
    ])('cannot be %j without a terminal', async (args, text) => {
      const ran = await run(args, { stdin: secret });
      expect(ran.code).toBe(2);
      expect(ran.stderr).toContain(text.startsWith('--') ? 'Name the client' : text);
    });

    it('has no empty secret', async () => {
      const ran = await run(['login', '--url', hms.url, '--client-id', 'abc'], { stdin: '\n' });
      expect(ran.code).toBe(2);
      expect(ran.stderr).toContain('The secret is empty');
    });

    it('says that a damaged file is, and that one of others is', async () => {
      mkdirSync(join(folder.cwd, 'config/hms-svc'), { recursive: true });
      writeFileSync(file(), '{"profiles":{"a":{}}}', { mode: 0o600 });
      const damaged = await run(['list']);
      expect([damaged.code, damaged.stdout]).toEqual([2, '']);
      expect(damaged.stderr).toContain('is damaged');
      chmodSync(file(), 0o640);
      expect((await run(['list'])).stderr).toContain('chmod 600');
    });

    it('is undone by logout, and listed by profiles', async () => {
      await login('a', 'client-a');
      await login('b', 'client-b');
      const listed = await run(['profiles', '--json']);
      expect(JSON.parse(listed.stdout)).toEqual({
        items: [
          { name: 'a', url: hms.url, clientId: 'client-a', current: false },
          { name: 'b', url: hms.url, clientId: 'client-b', current: true },
        ],
      });
      expect((await run(['logout'])).stdout).toContain('The profile b is forgotten');
      expect(readFileSync(file(), 'utf8')).not.toContain('client-b');
      expect((await run(['profiles'])).stdout).toContain('client-a');
    });
  });

  it('never writes a secret, whatever a command writes', async () => {
    await login('a', 'client-a');
    const written: string[] = [];
    for (const args of [
      ['profiles'],
      ['profiles', '--json'],
      ['doctor', '--json'],
      ['list', '--debug'],
    ]) {
      const { stdout, stderr } = await run(args);
      written.push(stdout, stderr);
    }
    expect(written.join('')).not.toContain(secret);
  });

  describe('token', () => {
    it('prints what curl takes, as an editor unless told', async () => {
      await writeClients(join(folder.cwd, '.hms'));
      const tokens: string[] = [];
      for (const args of [['token'], ['token', 'service'], ['token', '--as', 'demo-auditor']]) {
        const ran = await run(args, { env: local() });
        tokens.push(ran.stdout);
      }
      expect(tokens).toEqual([
        'token-of-demo-editor\n',
        'token-of-demo-service\n',
        'token-of-demo-auditor\n',
      ]);
    });
  });
});

function openApi(url: string) {
  const flows = { clientCredentials: { tokenUrl: `${url}/oauth2/token` } };
  return { components: { securitySchemes: { oauth2: { flows } } } };
}
