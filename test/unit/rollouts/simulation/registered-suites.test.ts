import { beforeEach, describe, expect, it } from 'vitest';
import { sha256Hex } from '../../../../src/core/packages/digest.ts';
import {
  documentOf,
  getSuite,
  listSuitesFor,
  putSuite,
  type SuiteUpload,
} from '../../../../src/core/rollouts/simulation/registered-suites.ts';
import { simulationLimits } from '../../../../src/core/rollouts/simulation/simulation-limits.ts';
import { suiteKey } from '../../../../src/core/rollouts/simulation/suite-keys.ts';
import type { Json } from '../../../../src/core/values/json.ts';
import { assertConsistent } from '../../../support/consistency.ts';
import { type CoreDeps, coreDeps } from '../../../support/core-deps.ts';
import { countingBlobs } from '../../../support/counting-blobs.ts';
import { countingRecords } from '../../../support/counting-records.ts';
import { faultyBlobs } from '../../../support/faulty-blobs.ts';
import { faultyRecords } from '../../../support/faulty-records.ts';
import { journal } from '../../journal/notes.ts';
import { refusalOf } from '../../packages/refusal-of.ts';
import { document, policy, reading } from './suites.ts';

const march = document([reading('bot-17', 30.5)]);
const april = document([reading('bot-17', 30.5), reading('bot-18', 31)]);

function upload(given: Json | string, form: SuiteUpload['form'] = 'json'): SuiteUpload {
  const text = typeof given === 'string' ? given : JSON.stringify(given);
  return { form, bytes: new TextEncoder().encode(text) };
}

const digestOf = (given: Json) => sha256Hex(new TextEncoder().encode(JSON.stringify(given)));
const origin = (tenant = 'demo', actor = 'ann') => ({ tenant, actor, requestId: 'request-1' });

describe('registered suites', () => {
  let deps: CoreDeps;
  beforeEach(() => {
    deps = coreDeps();
  });
  const put = (given: Json | string, name = 'bots', form: SuiteUpload['form'] = 'json') =>
    putSuite(deps, origin(), name, upload(given, form), 'ticket 7');

  it('are stored with their document, and journaled', async () => {
    const digest = digestOf(march);
    const suite = {
      name: 'bots',
      policies: [policy],
      scenarios: 1,
      digest,
      sizeBytes: JSON.stringify(march).length,
      changedAt: '2026-01-01T00:00:00.000Z',
      changedBy: 'ann',
    };
    expect(await put(march)).toEqual({ status: 'stored', suite });
    expect(await getSuite(deps, 'demo', 'bots')).toEqual({ suite, document: march });
    const [entry] = await journal(deps.records);
    expect(entry).toMatchObject({
      action: 'suite.put',
      subject: 'suite:bots',
      before: null,
      after: { policies: [policy], scenarios: 1, digest: `sha256:${digest}` },
      reason: 'ticket 7',
    });
    await assertConsistent(deps.records, 'demo', deps);
  });

  it('are the same when the same document comes again, however it is written', async () => {
    const first = await put(march);
    const { port: records, calls } = countingRecords(deps.records);
    const { port: blobs, calls: blobCalls } = countingBlobs(deps.blobs);
    for (const again of [
      upload(JSON.stringify(march, null, 2)),
      upload(`# the bots of March\n${JSON.stringify(march)}`, 'yaml'),
    ]) {
      const answer = await putSuite({ ...deps, records, blobs }, origin(), 'bots', again);
      expect(answer).toEqual({ ...first, status: 'unchanged' });
    }
    expect([calls.commit, blobCalls.put]).toEqual([0, 0]);
  });

  it('are replaced, while the old document stays readable', async () => {
    const { suite: old } = await put(march);
    deps.clock.set(deps.clock.nowMs() + 1000);
    const { status, suite } = await put(april);
    expect({ status, suite }).toMatchObject({
      status: 'stored',
      suite: { scenarios: 2, changedAt: '2026-01-01T00:00:01.000Z' },
    });
    expect(await documentOf(deps, 'demo', old)).toEqual(march);
    expect((await getSuite(deps, 'demo', 'bots')).document).toEqual(april);
    expect((await journal(deps.records))[1]).toMatchObject({
      before: { digest: `sha256:${old.digest}` },
      after: { digest: `sha256:${suite.digest}` },
    });
  });

  it('are stored once when many bring the same at the same time', async () => {
    const all = await Promise.all([put(march), put(march), put(march), put(march)]);
    expect(all.filter(({ status }) => status === 'stored')).toHaveLength(1);
    expect(await assertConsistent(deps.records, 'demo', deps)).toHaveLength(1);
  });

  it('hold one of two documents that come at the same time, each journaled', async () => {
    await Promise.all([put(march), put(april)]);
    const [first, second] = await assertConsistent(deps.records, 'demo', deps);
    expect(first?.after).toEqual(second?.before);
    const { suite } = await getSuite(deps, 'demo', 'bots');
    expect(second?.after).toMatchObject({ digest: `sha256:${suite.digest}` });
  });

  it('are found by policy, each tenant its own', async () => {
    await put({ ...march, policies: ['b', policy] }, 'two');
    await put({ ...march, policies: ['b'] }, 'other');
    await put(march, 'bots');
    await putSuite(deps, origin('rival'), 'theirs', upload(march));
    const names = async (tenant: string, ...ids: string[]) =>
      (await listSuitesFor(deps, tenant, ids)).map(({ name }) => name);
    expect(await names('demo', policy)).toEqual(['bots', 'two']);
    expect(await names('demo', policy, 'b')).toEqual(['bots', 'other', 'two']);
    expect(await names('demo', 'nobody')).toEqual([]);
    expect(await names('rival', policy)).toEqual(['theirs']);
    for (const name of ['bots', 'nobody', 'Not/A name', '']) {
      const refusal = await refusalOf(() => getSuite(deps, 'rival', name));
      expect(refusal.code).toBe('not_found');
    }
  });

  it.each<[string, SuiteUpload, string, string]>([
    ['bytes that are no text', { form: 'json', bytes: new Uint8Array([255]) }, '', 'not UTF-8'],
    ['broken JSON', upload('{"a":'), '', 'is not JSON'],
    ['a name twice', upload('{"a":1,"a":2}'), '', 'repeats the name "a"'],
    ['deep JSON', upload(`${'['.repeat(33)}${']'.repeat(33)}`), '', 'deeper than 32 levels'],
    ['broken YAML', upload('a: [', 'yaml'), '', 'line 1'],
    ['an explosion', upload('a: &a [x,x]\nb: [*a,*c]', 'yaml'), '/b/1', 'stands for nothing'],
    ['no suite', upload({ ...march, decision: 'x' }), '/decision', 'names "x"'],
  ])('refuse %s', async (_what, given, pointer, problem) => {
    const { port: blobs, calls } = countingBlobs(deps.blobs);
    const refusal = await refusalOf(() => putSuite({ ...deps, blobs }, origin(), 'bots', given));
    expect(refusal).toMatchObject({ code: 'invalid_policy', details: [{ pointer }] });
    expect(refusal.details[0]?.detail).toContain(problem);
    expect(calls.put).toBe(0);
    expect(await journal(deps.records)).toEqual([]);
  });

  it('have at most 4 MiB', async () => {
    const bytes = new Uint8Array(simulationLimits.maxSuiteBytes + 1).fill(0x20);
    for (const form of ['json', 'yaml'] as const) {
      const refusal = await refusalOf(() => putSuite(deps, origin(), 'bots', { form, bytes }));
      expect(refusal.code).toBe('too_large');
    }
  });

  it('take 20 000 scenarios', async () => {
    const many = Array.from({ length: 20_000 }, (_, i) => reading(`bot-${i}`, i % 50));
    expect((await put(document(many))).suite.scenarios).toBe(20_000);
  });

  it('are at most 500, of which each can still be replaced', async () => {
    const { suite } = await put(march, 's0');
    const rest = Array.from({ length: 499 }, (_, i) => `s${i + 1}`);
    for (let at = 0; at < rest.length; at += 50) {
      const writes = rest.slice(at, at + 50).map((name) => ({
        kind: 'put' as const,
        key: suiteKey('demo', name),
        value: { ...suite, name },
        expect: 'absent' as const,
      }));
      await deps.records.commit(writes, deps.ids.next());
    }
    expect((await refusalOf(() => put(march, 'one-more'))).code).toBe('conflict');
    expect((await put(april, 's7')).status).toBe('stored');
  });

  it('are refused to a run that they are too large for', async () => {
    const { suite } = await put(march);
    const large = { ...suite, sizeBytes: simulationLimits.maxRunBytes - suite.sizeBytes };
    const add = (name: string, value: typeof suite) => {
      const key = suiteKey('demo', name);
      return deps.records.commit([{ kind: 'put', key, value, expect: 'absent' }], name);
    };
    await add('large', { ...large, name: 'large' });
    expect(await listSuitesFor(deps, 'demo', [policy])).toHaveLength(2);
    await add('more', { ...suite, name: 'more' });
    const refusal = await refusalOf(() => listSuitesFor(deps, 'demo', [policy]));
    expect(refusal.message).toContain('more than 8 MiB together');
  });

  it.each(['not-written', 'written-but-failed', 'conflict'] as const)(
    'are stored once when the first commit is answered with: %s',
    async (fault) => {
      const records = faultyRecords(deps.records, { commit: [fault] });
      const answer = await putSuite({ ...deps, records }, origin(), 'bots', upload(march));
      expect(answer.status).toBe('stored');
      expect(await assertConsistent(deps.records, 'demo', deps)).toHaveLength(1);
    },
  );

  it.each(['not-written', 'written-but-failed'] as const)(
    'are as before when their document is %s, and can be put again',
    async (fault) => {
      const blobs = faultyBlobs(deps.blobs, { put: [fault] });
      const own = { ...deps, blobs };
      const refusal = await refusalOf(() => putSuite(own, origin(), 'bots', upload(march)));
      expect(refusal.code).toBe('unavailable');
      expect(await journal(deps.records)).toEqual([]);
      expect((await putSuite(own, origin(), 'bots', upload(march))).status).toBe('stored');
      expect((await getSuite(deps, 'demo', 'bots')).document).toEqual(march);
    },
  );
});
