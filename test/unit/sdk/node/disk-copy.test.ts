import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createClient } from '../../../../sdk/src/node/create-client.ts';
import { SavedCopy } from '../../../../sdk/src/node/saved-copy.ts';
import type { ClientOptions } from '../../../../sdk/src/policies/client-options.ts';
import { FakePolicies, problem } from '../../../support/fake-policies.ts';
import { testClient, type TestClient } from '../../../support/sdk-clients.ts';

let service: FakePolicies;
let folder: string;
const owner = {
  baseUrl: 'http://hms.test',
  client: 'c',
  channel: 'prod',
  subject: null,
  region: null,
  policies: null,
};

beforeEach(() => {
  service = new FakePolicies();
  service.publish('pm25', { limit: 35 });
  folder = join(mkdtempSync(join(tmpdir(), 'hms-copy-')), 'rules');
});
afterEach(() => rmSync(join(folder, '..'), { recursive: true, force: true }));

/** A process, for as long as it lives; its copy is on the disk when it has ended. */
function start(options: Partial<ClientOptions> = {}, name = 'rules.json'): TestClient {
  const file = join(folder, name);
  return testClient(service, options, (onFailure) => new SavedCopy(file, owner, onFailure));
}

async function leaveCopy(): Promise<void> {
  const policies = start();
  await policies.ready();
  await policies.close();
}

const file = () => join(folder, 'rules.json');
const down = () => problem(503, 'unavailable');
const limit = (policies: TestClient) => policies.getSync<{ limit: number }>('pm25').limit;

describe('a copy on the disk', () => {
  it('is for its owner alone, and whole', async () => {
    await leaveCopy();
    expect(statSync(folder).mode & 0o777).toBe(0o700);
    expect(statSync(file()).mode & 0o777).toBe(0o600);
    expect(readdirSync(folder)).toEqual(['rules.json']);
  });

  it('is what a process begins with while the service is down, and it says so', async () => {
    await leaveCopy();
    service.lie = down;
    const policies = start();
    await policies.ready();
    expect(limit(policies)).toBe(35);
    expect(policies.said('ready')).toMatchObject([{ source: 'cache' }]);
    expect(policies.said('stale')).toHaveLength(1);
    expect(policies.describe('pm25')).toMatchObject({ stale: true, version: '1.0.0' });
    expect(policies.status().checkedAt).toBeInstanceOf(Date);
    service.lie = () => undefined;
    service.publish('pm25', { limit: 25 });
    await vi.waitFor(() => expect(limit(policies)).toBe(25), 5000);
    expect(policies.said('updated')).toHaveLength(1);
    expect(policies.said('recovered')).toHaveLength(1);
    expect(policies.describe('pm25')?.stale).toBe(false);
  });

  it('saves the rules: a 304 is all that a new process needs', async () => {
    await leaveCopy();
    const before = service.calls.length;
    const policies = start();
    await policies.ready();
    expect(policies.said('ready')).toMatchObject([{ source: 'service' }]);
    expect(service.calls.slice(before).map(({ name }) => name)).toEqual([
      'GET /api/manifest?channel=prod',
    ]);
    expect(policies.status().stale).toBe(false);
  });

  it('keeps rules that wait for their time', async () => {
    const at = new Date(Date.now() + 3_600_000);
    service.publish('pm25', { limit: 25 }, at);
    await leaveCopy();
    service.lie = down;
    const policies = start();
    await policies.ready();
    expect(policies.describe('pm25')?.next).toMatchObject({ effectiveAt: at, isAtHand: true });
  });

  it('remembers the generation: an older one is refused', async () => {
    service.publish('pm25', { limit: 25 });
    await leaveCopy();
    service.items.set('pm25', { ...service.items.get('pm25')!, gen: 1 });
    service.index += 1;
    const policies = start();
    await policies.ready();
    expect(policies.said('refused')).toMatchObject([{ reason: 'lower-gen' }]);
    expect(limit(policies)).toBe(25);
  });

  it('that is too old is not begun with', async () => {
    await leaveCopy();
    const text = JSON.parse(readFileSync(file(), 'utf8')) as { checkedAtMs: number };
    text.checkedAtMs -= 100_000;
    writeFileSync(file(), JSON.stringify(text));
    const old = new Date(text.checkedAtMs);
    utimesSync(file(), old, old);
    service.lie = down;
    const policies = start({ maxStaleMs: 60_000, readyTimeoutMs: 100 });
    await expect(policies.get('pm25')).rejects.toThrow('There are no rules');
    expect(policies.getSync('pm25', 'the default')).toBe('the default');
    const patient = start({ maxStaleMs: 1_000_000 });
    await patient.ready();
    expect(limit(patient)).toBe(35);
  });

  const text = () => readFileSync(file(), 'utf8');
  const broken: Record<string, () => void> = {
    'cut off': () => writeFileSync(file(), text().slice(0, -40)),
    empty: () => writeFileSync(file(), ''),
    'no object': () => writeFileSync(file(), 'null'),
    'of another format': () => writeFileSync(file(), text().replace('rules 1', 'rules 9')),
    'of somebody else': () => writeFileSync(file(), text().replace('"client":"c"', '"client":"d"')),
    'with another rule': () => writeFileSync(file(), text().replace('35}', '99}')),
    'without a generation': () => writeFileSync(file(), text().replace('"gen":1', '"gen":null')),
    'without a list': () => writeFileSync(file(), text().replace('"policies":[{', '"policy":[{')),
    'open to others': () => chmodSync(file(), 0o666),
    'a link': () => {
      const elsewhere = join(folder, 'elsewhere');
      writeFileSync(elsewhere, text(), { mode: 0o600 });
      rmSync(file());
      symlinkSync(elsewhere, file());
    },
    'a folder': () => {
      rmSync(file());
      mkdirSync(file());
    },
  };
  it.each(Object.entries(broken))(
    'is ignored, and that is said, when it is %s',
    async (_, harm) => {
      await leaveCopy();
      harm();
      service.lie = down;
      const policies = start({ readyTimeoutMs: 50 });
      await expect(policies.get('pm25')).rejects.toThrow('There are no rules');
      expect(policies.said('cache-ignored')).toHaveLength(1);
      expect(policies.said('cache-ignored')[0]?.message).toContain(file());
    },
  );

  it('that cannot be written harms nobody, and is said once', async () => {
    mkdirSync(join(folder, '..'), { recursive: true });
    writeFileSync(folder, 'a file, where the folder should be');
    const policies = start({ pollMs: 20 });
    await policies.ready();
    const polled = service.polls;
    await vi.waitFor(() => expect(service.polls).toBeGreaterThan(polled + 3), 5000);
    expect(policies.said('cache-failed')).toHaveLength(1);
    expect(limit(policies)).toBe(35);
    rmSync(folder);
    await vi.waitFor(() => expect(existsSync(file())).toBe(true), 5000);
  });

  it('is shared by two processes, each of which writes all of it', async () => {
    const first = start({ pollMs: 10 });
    const second = start({ pollMs: 10 });
    await Promise.all([first.ready(), second.ready()]);
    for (let n = 0; n < 30; n++) {
      const snapshot = service.publish('pm25', { limit: n });
      await vi.waitFor(() => {
        for (const each of [first, second])
          expect(each.describe('pm25')).toMatchObject({ snapshot });
      }, 5000);
    }
    await Promise.all([first.close(), second.close()]);
    expect(readdirSync(folder)).toEqual(['rules.json']);
    service.lie = down;
    const third = start();
    await third.ready();
    expect(limit(third)).toBe(29);
  });

  it('has no leftovers beside it: those of killed processes are removed after an hour', async () => {
    await leaveCopy();
    const [old, young, other] = ['rules.json.1.tmp', 'rules.json.2.tmp', 'other.json.1.tmp'].map(
      (name) => join(folder, name),
    ) as [string, string, string];
    for (const path of [old, young, other]) writeFileSync(path, 'half');
    const longAgo = new Date(Date.now() - 7_200_000);
    for (const path of [old, other]) utimesSync(path, longAgo, longAgo);
    await start().ready();
    expect([old, young, other].map((path) => existsSync(path))).toEqual([false, true, true]);
  });
});

describe('where the copy is', () => {
  const auth = { clientId: 'c', clientSecret: 's', tokenUrl: 'http://hms.test/oauth2/token' };
  const options = () => {
    const { baseUrl, fetch } = service;
    return { baseUrl, fetch, push: 'none', receipts: false } as const;
  };
  beforeEach(() => {
    service.lie = ({ name }) =>
      name.includes('/oauth2/token') ? Response.json({ access_token: 't' }) : undefined;
    vi.stubEnv('XDG_CACHE_HOME', folder);
  });
  afterEach(() => vi.unstubAllEnvs());

  async function run(given: Parameters<typeof createClient>[0]): Promise<void> {
    const policies = createClient(given);
    await policies.ready();
    await policies.close();
  }
  const copies = (path: string) => (existsSync(path) ? readdirSync(path) : []);

  it('is the cache of the user, one for each service, client, channel and subject', async () => {
    await run({ ...options(), auth });
    await run({ ...options(), auth });
    await run({ ...options(), auth, policies: ['pm25'] });
    await run({ ...options(), auth, subject: 'bot-7' });
    await run({ ...options(), auth: { ...auth, clientId: 'd' } });
    expect(copies(join(folder, 'hms-svc'))).toHaveLength(4);
  });

  it('is nowhere when nobody knows whose it would be, or nobody wants one', async () => {
    await run({ ...options(), auth: () => 't' });
    await run({ ...options(), auth, cacheDir: false });
    expect(existsSync(folder)).toBe(false);
    const named = join(folder, 'mine');
    await run({ ...options(), auth: () => 't', cacheDir: named });
    expect(copies(named)).toHaveLength(1);
  });
});
