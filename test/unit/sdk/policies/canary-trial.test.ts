import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { SavedCopy } from '../../../../sdk/src/node/saved-copy.ts';
import type { PolicyChanged } from '../../../../sdk/src/policies/client-events.ts';
import type { ManifestItem } from '../../../../sdk/src/wire/manifest.ts';
import { FakePolicies, problem } from '../../../support/fake-policies.ts';
import { pass, stopTime, until } from '../../../support/fake-time.ts';
import { ownerOfCopies } from '../../../support/numbered-rules.ts';
import { testClient, type TestClient } from '../../../support/sdk-clients.ts';

let service: FakePolicies;
let stable: ManifestItem;
let candidate: string;
let changes: PolicyChanged[];
beforeEach(() => {
  stopTime();
  changes = [];
  service = new FakePolicies();
  service.publish('pm25', { limit: 35 });
  stable = { ...service.items.get('pm25')! };
  candidate = service.publish('pm25', { limit: 25 });
});
afterEach(() => vi.useRealTimers());

/** The service gives this client the candidate, for 90 s at a time. */
function offer(before: Pick<ManifestItem, 'snapshot' | 'version' | 'bodyDigest'> | null): void {
  const { snapshot = '', version = '', bodyDigest = null } = before ?? {};
  const rule = before && { snapshot: String(snapshot), version: String(version), bodyDigest };
  const canary = { run: 184, holdsSeconds: 90, stable: rule };
  service.put({ ...service.items.get('pm25')!, canary });
}

async function client(options = {}): Promise<TestClient> {
  const policies = testClient(service, { pollMs: 10_000, receipts: true, ...options });
  policies.onChange((change) => changes.push(change));
  await policies.ready();
  return policies;
}

const limit = (policies: TestClient) => policies.getSync<{ limit: number }>('pm25').limit;

describe('a candidate on trial', () => {
  it('lapses when the service is not heard of for too long, and is back with it', async () => {
    offer(stable);
    const policies = await client();
    expect(limit(policies)).toBe(25);
    expect(policies.describe('pm25')).toMatchObject({ snapshot: candidate, canaryRun: 184 });
    service.lie = () => problem(503, 'unavailable');
    await pass(89_900);
    expect(limit(policies)).toBe(25);
    // To the millisecond, also while the loop is too busy for timers.
    vi.setSystemTime(Date.now() + 100);
    expect(limit(policies)).toBe(35);
    expect(policies.describe('pm25')?.canaryRun).toBeUndefined();
    await pass(200);
    expect(changes).toMatchObject([
      { snapshot: stable.snapshot, previous: candidate, reason: 'lapsed' },
    ]);

    service.lie = () => undefined;
    await pass(31_000);
    expect(limit(policies)).toBe(25);
    expect(changes[1]).toMatchObject({ snapshot: candidate, reason: 'updated' });
    await pass(3000);
    const told = service.reports.flatMap(({ receipts }) => receipts);
    expect(told.map(({ snapshot }) => snapshot).slice(-2)).toEqual([stable.snapshot, candidate]);
  });

  it('does not lapse while the service answers, however seldom it is to be asked', async () => {
    offer(stable);
    const policies = await client({ pollMs: 3_600_000 });
    await pass(600_000);
    expect(limit(policies)).toBe(25);
    expect(changes).toEqual([]);
    expect(service.polls).toBeLessThan(25);
    // Its body is there from the beginning: the service is not needed to go back.
    expect(service.count('GET /api/policies/')).toBe(2);
  });

  it('of a policy that has no rule yet leaves none', async () => {
    offer(null);
    const policies = await client();
    service.lie = () => problem(503, 'unavailable');
    await pass(91_000);
    expect(changes).toMatchObject([{ snapshot: null, reason: 'withdrawn' }]);
    expect(policies.getSync('pm25', 'none')).toBe('none');
  });

  it('goes on while nothing is there to go back to', async () => {
    offer(stable);
    service.lie = ({ name }) =>
      name.endsWith(String(stable.snapshot)) ? problem(500, 'internal') : undefined;
    const policies = testClient(service, { pollMs: 10_000 });
    await pass(5000);
    service.lie = () => problem(503, 'unavailable');
    await pass(100_000);
    expect(limit(policies)).toBe(25);
  });

  it('ends when the manifest says so, also when what follows cannot be had', async () => {
    offer(stable);
    const policies = await client();
    const next = service.publish('pm25', { limit: 20 });
    service.lie = ({ name }) => (name.endsWith(next) ? problem(500, 'internal') : undefined);
    await pass(20_000);
    expect(limit(policies)).toBe(35);
    service.lie = () => undefined;
    await pass(40_000);
    expect(limit(policies)).toBe(20);
  });

  it('does not change when the rule of everyone else does: that is what it lapses to', async () => {
    const at = new Date(Date.now() + 30_000);
    offer(stable);
    const next = service.publish('pm25', { limit: 30 }, at);
    const { next: waiting } = service.items.get('pm25')!;
    const { run, holdsSeconds } = { run: 184, holdsSeconds: 90 };
    const rule = { ...stable, snapshot: stable.snapshot!, version: stable.version! };
    const canary = { run, holdsSeconds, stable: rule };
    service.put({ ...service.items.get('pm25')!, next: waiting, canary });
    const policies = await client();
    service.lie = () => problem(503, 'unavailable');
    await pass(60_000);
    expect(limit(policies)).toBe(25);
    await pass(31_000);
    expect(limit(policies)).toBe(30);
    expect(changes).toMatchObject([{ snapshot: next, reason: 'lapsed' }]);
  });

  it('is not what a process begins with that cannot ask', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'hms-copy-'));
    const file = join(folder, 'rules.json');
    const copy = (onFailure: (error: unknown) => void) =>
      new SavedCopy(file, ownerOfCopies, onFailure);
    try {
      offer(stable);
      const first = testClient(service, {}, copy);
      await until(() => first.status().ready);
      await first.close();
      service.lie = () => problem(503, 'unavailable');
      const second = testClient(service, {}, copy);
      await until(() => second.status().ready);
      expect(limit(second)).toBe(35);
      service.lie = () => undefined;
      await pass(5000);
      expect(limit(second)).toBe(25);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
