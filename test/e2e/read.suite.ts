import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { changeOperations } from '../../src/contract/operations/change-operations.ts';
import { queryOperations } from '../../src/contract/operations/query-operations.ts';
import { ruleOperations } from '../../src/contract/operations/rule-operations.ts';
import { publishRule, readRule, useCast } from '../support/cast.ts';
import { packageOf, ruleYaml, uniqueId } from '../support/policy-documents.ts';
import type { StartService } from '../support/service.ts';
import { settled } from '../support/settled.ts';

const { getManifest, getSnapshot } = queryOperations;
const zip = 'application/zip';

export function describeRead(name: string, start: StartService): void {
  describe(`${name}: reading a rule`, () => {
    const cast = useCast(start);

    it('answers the rule as minimised JSON, with its snapshot as ETag', async () => {
      const id = uniqueId('plain');
      const { body } = await publishRule(cast.editor, id, { limit: 25, tags: ['air', 'é'] });
      const answer = await settled(cast.service, () => readRule(cast.reader, id));
      expect(answer.text).toBe(`{"id":"${id}","version":"1.0.0","limit":25,"tags":["air","é"]}`);
      expect(answer.headers.get('etag')).toBe(`"${body.snapshot}"`);
      expect(answer.headers.get('cache-control')).toBe('private, no-cache');
      expect(answer.headers.get('vary')).toBe('Authorization, X-Channel, X-Subject, X-Region');
    });

    it('honours If-None-Match in every form that clients send', async () => {
      const id = uniqueId('conditional');
      const { body } = await publishRule(cast.editor, id);
      const tag = body.snapshot;
      await settled(cast.service, () => readRule(cast.reader, id));
      const statusFor = async (header: string) =>
        (await readRule(cast.reader, id, {}, { 'if-none-match': header })).status;
      const held = [`"${tag}"`, `W/"${tag}"`, tag, '*', `"x", "${tag}"`, `W/"x",W/"${tag}","y"`];
      for (const header of held) expect(await statusFor(header), header).toBe(304);
      for (const header of ['"x"', 'x', `"${tag}x"`, `"${tag.slice(1)}"`, ',', '""', '"*"']) {
        expect(await statusFor(header), header).toBe(200);
      }
      const unchanged = await readRule(cast.reader, id, {}, { 'if-none-match': tag });
      expect(unchanged.headers.get('etag')).toBe(`"${tag}"`);
      expect(unchanged.bytes.byteLength).toBe(0);
    });

    it('takes the channel from the query, else the header, else prod', async () => {
      const id = uniqueId('channel');
      for (const channel of ['dev', 'test', 'prod']) {
        await publishRule(cast.editor, id, { in: channel }, { 'x-channel': channel });
      }
      const inChannel = (query: Record<string, string>, headers: Record<string, string>) =>
        settled(cast.service, async () => {
          const { body } = await readRule(cast.reader, id, query, headers);
          return body['in'];
        });
      expect(await inChannel({}, {})).toBe('prod');
      expect(await inChannel({}, { 'x-channel': 'test' })).toBe('test');
      expect(await inChannel({ channel: 'dev' }, { 'x-channel': 'test' })).toBe('dev');
      for (const channel of ['Prod', '', 'staging', '__proto__']) {
        const input = { params: { id }, query: { channel } };
        await cast.reader.refuse(ruleOperations.getPolicy, input, 'invalid_request');
      }
      const input = { params: { id }, headers: { 'x-channel': 'staging' } };
      await cast.reader.refuse(ruleOperations.getPolicy, input, 'invalid_request');
    });

    it('tells what was in force at a time, and what was known of it then', async () => {
      const id = uniqueId('then');
      const first = await publishRule(cast.editor, id, { limit: 1 });
      await tick();
      const between = new Date().toISOString();
      await tick();
      const hour = new Date(Date.now() + 3_600_000).toISOString();
      const later = await publishRule(cast.editor, id, { limit: 2, effective: hour });
      expect(later.body.effectiveAt).toBe(hour);
      const limitAt = async (query: Record<string, string>) =>
        (await readRule(cast.reader, id, query)).body['limit'];
      const afterwards = new Date(Date.parse(hour) + 1).toISOString();
      expect(await limitAt({ at: between })).toBe(1);
      expect(await limitAt({ at: new Date().toISOString() })).toBe(1);
      expect(await limitAt({ at: hour })).toBe(2);
      expect(await limitAt({ at: afterwards.replace('Z', '+00:00') })).toBe(2);
      expect(await limitAt({ at: afterwards, known: between })).toBe(1);
      const tagged = await readRule(cast.reader, id, { at: between });
      expect(tagged.headers.get('etag')).toBe(`"${first.body.snapshot}"`);
      const input = { params: { id }, query: { at: '2020-01-01T00:00:00Z' } };
      await cast.reader.refuse(ruleOperations.getPolicy, input, 'not_in_force');
      const known = { params: { id }, query: { known: '2020-01-01T00:00:00Z' } };
      await cast.reader.refuse(ruleOperations.getPolicy, known, 'not_in_force');
      for (const at of ['now', '2024-06-10', '2024-06-10T18:30:00', '9999-12-31T23:59:59-23:00']) {
        const malformed = { params: { id }, query: { at } };
        await cast.reader.refuse(ruleOperations.getPolicy, malformed, 'invalid_request');
      }
    });

    it('does not know what is not there', async () => {
      const id = uniqueId('nowhere');
      await cast.reader.refuse(ruleOperations.getPolicy, { params: { id } }, 'not_found');
      await publishRule(cast.editor, id, {}, { 'x-channel': 'dev' });
      await cast.reader.refuse(ruleOperations.getPolicy, { params: { id } }, 'not_found');
    });

    it('finds a snapshot by id, prefix, digest and version, as JSON and as the exact ZIP', async () => {
      const id = uniqueId('snapshot');
      const bytes = packageOf(ruleYaml(id, { limit: 1 }), { 'metadata.json': '{"a":1}' });
      const { body } = await cast.editor.call(changeOperations.publishPolicy, {
        params: { id },
        bytes,
        contentType: zip,
      });
      const hex = createHash('sha256').update(bytes).digest('hex');
      const names = [body.snapshot, body.snapshot.slice(0, 7), `sha256:${hex}`, hex.slice(0, 8)];
      for (const snapshot of [...names, `sha256:${hex.slice(0, 8)}`, '1.0.0']) {
        const params = { id, snapshot };
        const json = await cast.reader.call(getSnapshot, { params });
        expect(json.text, snapshot).toBe(`{"id":"${id}","version":"1.0.0","limit":1}`);
        expect(json.headers.get('etag')).toBe(`"${body.snapshot}"`);
        const exact = await cast.reader.call(getSnapshot, { params, headers: { accept: zip } });
        expect(exact.bytes.equals(Buffer.from(bytes)), snapshot).toBe(true);
        expect(exact.headers.get('content-type')).toBe(zip);
        const digest = Buffer.from(hex, 'hex').toString('base64');
        expect(exact.headers.get('repr-digest')).toBe(`sha-256=:${digest}:`);
        const isForEver = exact.headers.get('cache-control')?.includes('immutable');
        expect(isForEver, snapshot).toBe(snapshot === body.snapshot);
      }
      const params = { id, snapshot: body.snapshot };
      const forms = [`"${body.snapshot}.zip"`, `W/"${body.snapshot}.zip"`, '*'];
      for (const etag of forms) {
        const headers = { accept: zip, 'if-none-match': etag };
        expect((await cast.reader.call(getSnapshot, { params, headers })).status).toBe(304);
      }
      const asJson = { params, headers: { 'if-none-match': `"${body.snapshot}.zip"` } };
      expect((await cast.reader.call(getSnapshot, asJson)).status).toBe(200);
      await cast.reader.refuse(getSnapshot, { params: { id, snapshot: '9.9.9' } }, 'not_found');
      const image = { params, headers: { accept: 'image/png' } };
      await cast.reader.refuse(getSnapshot, image, 'not_acceptable');
    });

    it('names the candidates when a name fits several snapshots', async () => {
      const id = uniqueId('ambiguous');
      const one = await publishRule(cast.editor, id, { limit: 1 });
      const two = await publishRule(cast.editor, id, { limit: 2 });
      for (const snapshot of ['1.0.0', 'v2']) {
        const input = { params: { id, snapshot } };
        const { errors } = await cast.reader.refuse(getSnapshot, input, 'ambiguous_snapshot');
        const candidates = errors?.map(({ detail }) => detail) ?? [];
        expect(candidates.sort()).toEqual([one.body.snapshot, two.body.snapshot].sort());
      }
    });

    it('answers the manifest of a channel, whole and conditionally', async () => {
      const id = uniqueId('manifest');
      const manifest = (etag?: string) =>
        cast.reader.call(getManifest, {
          query: { channel: 'test' },
          headers: etag === undefined ? {} : { 'if-none-match': etag },
        });
      const before = await manifest();
      const { body } = await publishRule(cast.editor, id, { limit: 1 }, { 'x-channel': 'test' });
      const after = await settled(cast.service, async () => {
        const answer = await manifest(before.headers.get('etag') ?? '');
        expect(answer.status).toBe(200);
        return answer;
      });
      const json = `{"id":"${id}","version":"1.0.0","limit":1}`;
      expect(after.body.items.find((item) => item.id === id)).toEqual({
        id,
        etag: `"${body.snapshot}"`,
        snapshot: body.snapshot,
        version: '1.0.0',
        bodyDigest: `sha256:${createHash('sha256').update(json).digest('hex')}`,
        gen: 1,
        next: null,
        canary: null,
      });
      const etag = after.headers.get('etag') ?? '';
      for (const form of [etag, `W/${etag}`, etag.slice(1, -1), '*']) {
        expect((await manifest(form)).status, form).toBe(304);
      }
      await publishRule(cast.editor, id, { limit: 2 }, { 'x-channel': 'dev' });
      expect((await manifest(etag)).status).toBe(304);
      const byHeader = await cast.reader.call(getManifest, { headers: { 'x-channel': 'test' } });
      expect(byHeader.headers.get('etag')).toBe(etag);
      expect(byHeader.body).toEqual(after.body);
      const pages = [];
      for (let cursor: string | null = ''; cursor !== null;) {
        const query: Record<string, string> = { channel: 'test', limit: '1' };
        if (cursor !== '') query['cursor'] = cursor;
        const page = await cast.reader.call(getManifest, { query });
        pages.push(...page.body.items);
        cursor = page.body.next;
      }
      expect(pages).toEqual(after.body.items);
    });
  });
}

/** The journal tells times apart by the millisecond. */
async function tick(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 20));
}
