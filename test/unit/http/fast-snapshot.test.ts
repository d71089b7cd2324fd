import { describe, expect, it } from 'vitest';
import { cachedVerifier } from '../../../src/core/identity/cached-verifier.ts';
import { bodyKey, snapshotKey } from '../../../src/core/policies/policy-keys.ts';
import type { RecordKey, StoredRecord } from '../../../src/ports/record-store.ts';
import { snapshotAtHand } from '../../../src/http/fast-snapshot.ts';
import { ruleYaml } from '../../support/policy-documents.ts';
import { ApiDesk } from './api-desk.ts';

const limit = { perSecond: 1, burst: 1 };

/** A snapshot of which all records are in memory. */
async function counter(fields: Readonly<Record<string, unknown>> = {}) {
  const desk = new ApiDesk();
  const { snapshot } = await desk.done('editor', 'POST /api/policies/epa/snapshots', {
    body: ruleYaml('epa', { text: 'é😀', ...fields }),
    type: 'application/yaml',
  });
  const name = String(snapshot);
  const keys = [snapshotKey('demo', 'epa', name), bodyKey('demo', 'epa', name)];
  const held = new Map<string, StoredRecord | undefined>();
  for (const key of keys) held.set(key.sort, await desk.deps.records.get(key));
  const peek = ({ partition, sort }: RecordKey) =>
    partition === keys[0]?.partition ? held.get(sort) : undefined;
  const verifier = cachedVerifier(desk.deps.verifier, desk.deps.clock, { maxTokens: 10 });
  for (const who of ['reader', 'stranger', 'service']) await verifier.verify(who);
  const path = `/api/policies/epa/snapshots/${name}` as const;
  const at = (given: Readonly<Record<string, unknown>> = {}) =>
    snapshotAtHand(
      { ...desk.deps, records: { ...desk.deps.records, peek }, verifier },
      {
        method: 'GET',
        target: path,
        authorization: 'Bearer reader',
        channel: undefined,
        ifNoneMatch: undefined,
        accept: 'application/json',
        forOthers: false,
        ...given,
      },
    );
  return { desk, path, name, held, at };
}

describe('snapshotAtHand', () => {
  it('answers what the app answers', async () => {
    const { desk, path, name, at } = await counter();
    const told = await desk.ask('reader', `GET ${path}`);
    const known = await desk.ask('reader', `GET ${path}`, {
      headers: { 'if-none-match': `"${name}"` },
    });
    for (const accept of [undefined, '*/*', 'application/json']) {
      expect(at({ accept })).toEqual({
        status: 200,
        headers: withoutRequestId(told.headers),
        body: told.text,
      });
      expect(at({ accept, ifNoneMatch: `"${name}"` })).toEqual({
        status: 304,
        headers: withoutRequestId(known.headers),
        body: null,
      });
    }
  });

  it.each([
    ['another method', { method: 'HEAD' }],
    ['the package', { accept: 'application/zip' }],
    ['a choice of forms', { accept: 'application/json, application/zip' }],
    ['no token', { authorization: undefined }],
    ['a token that was not verified', { authorization: 'Bearer nobody' }],
    ['another tenant', { authorization: 'Bearer stranger' }],
    ['who speaks for others', { forOthers: true }],
    ['a snapshot that is not in memory', { target: '/api/policies/fcc/snapshots/v1' }],
  ])('leaves %s to the app', async (_, given) => {
    const { at } = await counter();
    expect(at()).not.toBeNull();
    expect(at(given)).toBeNull();
  });

  it('leaves other names of it to the app, which says for how long they hold', async () => {
    const { at, path, name } = await counter();
    for (const other of [name.slice(0, -1), '1.0.0', `${name}?channel=prod`]) {
      expect(at({ target: path.replace(name, other) })).toBeNull();
    }
  });

  it('leaves to the app what is large, or of which the digest was not kept', async () => {
    const large = await counter({ text: 'x'.repeat(120_000) });
    expect(large.at()).toBeNull();
    expect(large.at({ ifNoneMatch: `"${large.name}"` })?.status).toBe(304);
    const { at, held, name } = await counter();
    const key = snapshotKey('demo', 'epa', name).sort;
    const { value, ...record } = held.get(key)!;
    const { bodyDigest: _, ...old } = value as Record<string, string>;
    held.set(key, { ...record, value: old });
    expect(at()).toBeNull();
  });

  it('counts what it answers, and nothing else', async () => {
    const { at, desk } = await counter();
    const limits = { tenant: null, client: limit };
    const parts: (number | undefined)[] = [];
    const take = (_tenant: string, _client: string, part?: number) => {
      parts.push(part);
      return parts.length > 1 ? { limit: 'client' as const, waitMs: 1 } : null;
    };
    Object.assign(desk.deps, { limiter: { limits, take } });
    expect(at({ accept: 'application/zip' })).toBeNull();
    expect(at()?.status).toBe(200);
    expect(at()).toBeNull();
    expect(parts).toEqual([0.25, 0.25]);
  });
});

function withoutRequestId(headers: Headers): Record<string, string> {
  return Object.fromEntries([...headers].filter(([name]) => name !== 'x-request-id'));
}
