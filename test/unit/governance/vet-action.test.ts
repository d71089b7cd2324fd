import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Unavailable } from '../../../src/core/errors/app-error.ts';
import { GovernanceCache } from '../../../src/core/governance/governance-cache.ts';
import { vetAction } from '../../../src/core/governance/vet-action.ts';
import { coreDeps } from '../../support/core-deps.ts';
import { countingBlobs } from '../../support/counting-blobs.ts';
import { countingRecords } from '../../support/counting-records.ts';
import { expectDefect } from '../../support/expect-defect.ts';
import { faultyRecords } from '../../support/faulty-records.ts';
import { memoryBlobs } from '../../support/memory-blobs.ts';
import { quickCanary, RolloutDesk } from '../../support/rollout-desk.ts';
import { TenantCalls } from '../policies/tenant-calls.ts';
import { Governed, report } from './governed.ts';

let governed: Governed;
beforeEach(() => {
  governed = new Governed();
});

describe('without rules in force', () => {
  it('the default verdict decides, and says so', async () => {
    expect(await governed.vet()).toEqual({ verdict: 'allowed', by: [] });
    expect(await governed.vet({ defaultVerdict: 'deny' })).toEqual({
      verdict: 'denied',
      rule: 'default',
      reason:
        'No governance rules are in force for pothole.report, and without them nothing is done here; publish the policy governance or governance.pothole.report.',
      by: [],
    });
  });

  it('it also decides what nobody can publish rules for, in one line', async () => {
    for (const action of ['', 'a/b', 'a#b', `a${'b'.repeat(200)}`, 'a\n\u0000b']) {
      expect(await governed.verdict({ action })).toBe('allowed');
      const denied = await governed.verdict({ action, defaultVerdict: 'deny' });
      expect(denied).toMatch(/^default: No governance rules [^\n\0]+$/);
    }
  });

  it('rules of other channels, actions and tenants are none', async () => {
    const rules = [{ name: 'never', deny: 'true' }];
    await governed.publish('governance', { rules }, { channel: 'test' });
    await governed.publish('governance', { rules }, { tenant: 'other' });
    await governed.publish('governance.pothole', { rules });
    await governed.publish('governance.pothole.report.x', { rules });
    expect(await governed.vet()).toEqual({ verdict: 'allowed', by: [] });
    expect(await governed.verdict({ tenant: 'other' })).toContain('governance/never');
    expect(await governed.verdict({ action: 'pothole' })).toContain('governance.pothole/never');
  });

  it('rules that are in force decide also what they do not speak of', async () => {
    await governed.publish('governance', { rules: [{ name: 'never', deny: 'false' }] });
    expect(await governed.verdict({ defaultVerdict: 'deny' })).toBe('allowed');
  });
});

describe('the general rules and those of the action', () => {
  it('both must allow, and both are named', async () => {
    const general = await governed.publish('governance', {
      rules: [{ name: 'stranger', deny: 'actor.subject == "eve"', message: 'No strangers.' }],
    });
    const special = await governed.publish('governance.pothole.report', {
      version: '1.2.0',
      rules: [{ name: 'north', deny: 'payload.lat > 90.0', message: 'Beyond the pole.' }],
    });
    const by = [
      { policy: 'governance', snapshot: general.snapshot, version: '1.0.0' },
      { policy: 'governance.pothole.report', snapshot: special.snapshot, version: '1.2.0' },
    ];
    expect(await governed.vet()).toEqual({ verdict: 'allowed', by });
    expect(await governed.vet({ payload: { lat: 91 } })).toEqual({
      verdict: 'denied',
      rule: 'governance.pothole.report/north',
      reason: 'Beyond the pole.',
      by,
    });
    const eve = { id: 'portal', subject: 'eve' };
    expect(await governed.vet({ actor: eve, payload: { lat: 91 } })).toEqual({
      verdict: 'denied',
      rule: 'governance/stranger',
      reason: 'No strangers.',
      by,
    });
    expect(await governed.vet({ action: 'bridge.report', payload: { lat: 91 } })).toEqual({
      verdict: 'allowed',
      by: by.slice(0, 1),
    });
  });

  it('an allow of one does not outweigh the other', async () => {
    await governed.publish('governance', { default: 'deny', rules: [] });
    await governed.publish('governance.pothole.report', {
      rules: [{ name: 'anyone', allow: 'true' }],
    });
    expect(await governed.verdict()).toBe(
      'governance: No rule of governance allows it, and its default is to deny.',
    );
    await governed.publish('governance', { version: '1.0.1', rules: [] });
    expect(await governed.verdict()).toBe('allowed');
  });
});

describe('what the rules see', () => {
  it.each([
    'actor.id == "portal" && actor.subject == "ravi" && actor.tenant == "demo"',
    'actor.region == "NCR"',
    'action == "pothole.report" && action.startsWith("pothole.")',
    'payload.lat > 40 && payload.lat < 41 && payload.lon == -74.0',
    'size(payload.photos) == 2 && payload.photos.exists(p, p == "b")',
    '!has(payload.street)',
    'now == timestamp("2026-01-01T00:00:00Z") && now < timestamp("2026-01-01T00:00:00.001Z")',
    'now.getHours("America/New_York") == 19 && now.getDayOfWeek("America/New_York") == 3',
    'now - duration("24h") > timestamp("2025-12-30T23:59:59Z")',
  ])('%s', async (allow) => {
    await governed.publish('governance', { rules: [{ name: 'seen', allow }] });
    expect(await governed.verdict()).toBe('allowed');
  });

  it('an actor of no region has an empty one, and a payload may be anything', async () => {
    const allow = 'actor.region == "" && payload == null';
    await governed.publish('governance', { rules: [{ name: 'seen', allow }] });
    const actor = { id: 'portal', subject: 'ravi' };
    expect(await governed.verdict({ actor, payload: null })).toBe('allowed');
  });
});

describe('which rules are in force', () => {
  const open = { rules: [] };
  const closed = { version: '2.0.0', default: 'deny', rules: [] };

  it('a rule that waits is in force from its effective time on, and not before', async () => {
    await governed.publish('governance', { ...closed, effective: '2026-01-01T01:00:00Z' });
    expect(await governed.vet()).toEqual({ verdict: 'allowed', by: [] });
    governed.deps.clock.set(Date.UTC(2026, 0, 1, 0, 59, 59, 999));
    expect(await governed.verdict()).toBe('allowed');
    governed.deps.clock.set(Date.UTC(2026, 0, 1, 1));
    expect(await governed.vet()).toMatchObject({ verdict: 'denied', rule: 'governance' });
  });

  it('a rollback holds with the next vet', async () => {
    await governed.publish('governance', open);
    await governed.publish('governance', closed);
    expect(await governed.verdict()).not.toBe('allowed');
    await new TenantCalls(governed.deps, 'demo', 'governance').rollback('prod');
    expect(await governed.verdict()).toBe('allowed');
  });

  describe('while a run tries a candidate', () => {
    let desk: RolloutDesk;
    beforeEach(() => {
      desk = new RolloutDesk();
    });
    afterEach(() => desk.close());

    it('an actor in its audience gets it, and the others do not', async () => {
      const id = 'governance.pothole.report';
      await desk.inForce(id, { kind: 'governance', ...open });
      const snapshot = await desk.store(id, { kind: 'governance', ...closed });
      const canary = { ...quickCanary, percent: 100, scope: 'region:NCR' };
      const { run } = await desk.create([{ id, snapshot }], { canary });
      await desk.until(run, ({ progress }) => progress !== null);
      const deps = { ...desk.deps, governance: new GovernanceCache() };
      const verdictOf = async (region: string | undefined) =>
        (await vetAction(deps, { ...report, actor: { ...report.actor, region } })).verdict;
      expect(await verdictOf('NCR')).toBe('denied');
      expect(await verdictOf('R2')).toBe('allowed');
      expect(await verdictOf(undefined)).toBe('allowed');
    });
  });
});

describe('a policy that holds no sound rules', () => {
  const corrected = 'Correct it, or roll it back.';

  it.each([
    ['another kind', '{"id":"governance","kind":"limit","rules":[]}', '/kind must be governance'],
    ['no kind', '{"id":"governance"}', '/kind must be governance'],
    ['no mapping', '[1]', 'must be a mapping'],
    ['no rules', '{"kind":"governance"}', '/rules is missing'],
    [
      'rules that are wrong',
      '{"kind":"governance","rules":[{"name":"A"},{"name":"b","deny":"1 +"}]}',
      '/rules/0/name is no name: 1 to 64 lower-case letters, digits and dashes (and 2 more)',
    ],
    [
      'a field whose name has lines',
      '{"kind":"governance","rules":[],"a\\n\\u0000b":1}',
      '/a b is no field here',
    ],
  ])('denies, and says what to correct: %s', async (_, body, problem) => {
    await governed.inject('governance', body);
    const vetted = await governed.vet();
    expect(vetted).toMatchObject({ verdict: 'denied', rule: 'governance' });
    const reason = vetted.verdict === 'denied' ? vetted.reason : '';
    expect(reason).toMatch(/^The policy governance 1\.0\.0 \(v2026-01-01-0000-[0-9a-f]{8}\) /);
    expect(reason).toContain(`holds no sound governance rules, so it denies: ${problem}`);
    expect(reason).toMatch(/^[^\n\0]{1,500}$/);
    expect(reason).toContain(corrected);
  });

  it('denies also where the other policy allows', async () => {
    await governed.publish('governance', { rules: [{ name: 'anyone', allow: 'true' }] });
    await governed.inject('governance.pothole.report', '{}');
    expect(await governed.verdict()).toMatch(/^governance\.pothole\.report: The policy /);
  });

  it('is not asked about other actions', async () => {
    await governed.inject('governance.pothole.report', '{}');
    expect(await governed.verdict({ action: 'bridge.report' })).toBe('allowed');
  });
});

describe('what a vet costs', () => {
  const noRecords = { get: 0, getMany: 0, query: 0, commit: 0 };
  const noBlobs = { put: 0, get: 0, head: 0 };
  const large = { description: 'x'.repeat(120_000), rules: [{ name: 'never', deny: 'false' }] };

  function counted() {
    const plain = coreDeps();
    const records = countingRecords(plain.records);
    const blobs = countingBlobs(plain.blobs);
    const tenant = new Governed({ ...plain, records: records.port, blobs: blobs.port });
    const callsOf = async (call: () => Promise<unknown>) => {
      records.reset();
      blobs.reset();
      await call();
      return { records: { ...records.calls }, blobs: { ...blobs.calls } };
    };
    return { tenant, callsOf };
  }

  it('is one getMany and no blob, with no policy in force, one, or both', async () => {
    const { tenant, callsOf } = counted();
    const once = { records: { ...noRecords, getMany: 1 }, blobs: noBlobs };
    expect(await callsOf(() => tenant.vet())).toEqual(once);
    await tenant.publish('governance', { rules: [{ name: 'never', deny: 'false' }] });
    expect(await callsOf(() => tenant.vet())).toEqual(once);
    await tenant.publish('governance.pothole.report', { rules: [] });
    expect(await callsOf(() => tenant.vet())).toEqual(once);
    expect(await callsOf(() => tenant.vet({ action: 'a/b' }))).toEqual(once);
  });

  it('reads a large body once, as long as it is remembered', async () => {
    const { tenant, callsOf } = counted();
    await tenant.publish('governance', large);
    const once = { records: { ...noRecords, getMany: 1 }, blobs: noBlobs };
    expect(await callsOf(() => tenant.vet())).toEqual({ ...once, blobs: { ...noBlobs, get: 1 } });
    expect(await callsOf(() => tenant.vet())).toEqual(once);
  });
});

describe('when the store fails', () => {
  it('says that it did not answer', async () => {
    const { records } = coreDeps();
    const tenant = new Governed({ records: faultyRecords(records, { getMany: ['not-written'] }) });
    await expect(tenant.vet()).rejects.toThrow(Unavailable);
    expect(await tenant.verdict()).toBe('allowed');
  });

  it('does not remember a body that it could not read', async () => {
    const rules = [{ name: 'never', deny: 'true' }];
    await governed.publish('governance', { description: 'x'.repeat(120_000), rules });
    const { blobs } = governed.deps;
    let lost = true;
    const deps = {
      ...governed.deps,
      blobs: {
        ...blobs,
        get: (...[ref]: Parameters<typeof blobs.get>) =>
          lost ? memoryBlobs().get(ref) : blobs.get(ref),
      },
    };
    await expectDefect(() => vetAction(deps, report));
    lost = false;
    expect(await vetAction(deps, report)).toMatchObject({ rule: 'governance/never' });
  });
});
