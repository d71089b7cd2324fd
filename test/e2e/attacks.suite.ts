import { gzipSync } from 'node:zlib';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { changeOperations } from '../../src/contract/operations/change-operations.ts';
import { feedOperations } from '../../src/contract/operations/feed-operations.ts';
import { queryOperations } from '../../src/contract/operations/query-operations.ts';
import type { ErrorCode } from '../../src/core/errors/app-error.ts';
import { problemSchema } from '../../src/contract/problem-schema.ts';
import { publishRule, readRule, useCast } from '../support/cast.ts';
import { hostilePackages, hostileRules } from '../support/hostile-packages.ts';
import { hostileQueries } from '../support/hostile-queries.ts';
import { packageOf, ruleYaml, uniqueId } from '../support/policy-documents.ts';
import type { StartService } from '../support/service.ts';
import type { Answer, Problem } from '../support/service-client.ts';
import { settled } from '../support/settled.ts';

const { publishPolicy, storeSnapshot } = changeOperations;
const { getAudit, getManifest } = queryOperations;
/** Much more than any takes, so that a busy machine fails no test; much less than an attack wants. */
const boundedMs = 5000;
const id = uniqueId('attacked');

/** `publish` and `store` refuse the same; they take turns. */
const uploads = [publishPolicy, storeSnapshot] as const;

export function describeAttacks(name: string, start: StartService): void {
  describe(`${name}: attacks`, () => {
    const cast = useCast(start);
    beforeAll(async () => {
      await publishRule(cast.editor, id, { limit: 1 });
      await settled(cast.service, () => readRule(cast.reader, id));
    });

    let before: unknown;
    beforeEach(async () => {
      before = await state();
    });

    /** All that an attack could have changed. */
    async function state() {
      const query = { order: 'desc', limit: 1, actor: cast.editorName };
      const [audit, rule, manifest] = await Promise.all([
        cast.auditor.call(getAudit, { query }),
        readRule(cast.reader, id),
        cast.reader.call(getManifest, { query: { channel: 'dev' } }),
      ]);
      return [audit.text, rule.text, rule.headers.get('etag'), manifest.text];
    }

    /** Expects a refusal with one of the codes, soon, and the state as before. */
    async function repel(attack: () => Promise<Answer>, ...codes: ErrorCode[]): Promise<Problem> {
      const answer = await attack();
      const problem = problemSchema.parse(JSON.parse(answer.text));
      expect(codes, answer.text).toContain(problem.code);
      expect(answer.elapsedMs).toBeLessThan(boundedMs);
      expect(await state()).toEqual(before);
      return problem;
    }

    function post(path: string, body: RequestInit['body'], headers: Record<string, string> = {}) {
      return cast.editor.fetch('POST', path, { body: body ?? '', headers });
    }

    it.each(Object.keys(hostilePackages(id)))('refuses a package: %s', async (what) => {
      const bytes = hostilePackages(id)[what] ?? new Uint8Array();
      for (const operation of uploads) {
        const path = operation.path.replace('{id}', id);
        const body = new Uint8Array(bytes);
        const upload = () => post(path, body, { 'content-type': 'application/zip' });
        await repel(upload, 'invalid_package');
      }
    });

    it.each(Object.keys(hostileRules(id)))('refuses a rule: %s', async (what) => {
      const rule = hostileRules(id)[what] ?? '';
      const bare = typeof rule === 'string' ? rule : new Uint8Array(rule);
      const yaml = { 'content-type': 'application/yaml' };
      await repel(() => post(`/api/policies/${id}/publish`, bare, yaml), 'invalid_policy');
      if (typeof rule !== 'string') return;
      const zip = { 'content-type': 'application/zip' };
      const packed = packageOf(rule);
      const publish = () => post(`/api/policies/${id}/publish`, packed, zip);
      await repel(publish, 'invalid_policy', 'invalid_package');
    });

    it('refuses what is too large before it has read it', async () => {
      const large = new Uint8Array(5 * 1024 * 1024 + 1);
      for (const type of ['application/zip', 'application/yaml']) {
        const publish = () => post(`/api/policies/${id}/publish`, large, { 'content-type': type });
        await repel(publish, 'too_large');
      }
      const attach = () => post(`/api/policies/${id}/attachments?name=a`, large);
      await repel(attach, 'too_large');
      const json = JSON.stringify({ reason: 'a'.repeat(65 * 1024) });
      const type = { 'content-type': 'application/json' };
      await repel(() => post(`/api/policies/${id}/rollback`, json, type), 'too_large');
    });

    it('refuses a content type or coding that is not asked for', async () => {
      const rule = ruleYaml(id, { version: '6.6.6' });
      const publish = (headers: Record<string, string>) => () =>
        post(`/api/policies/${id}/publish`, rule, headers);
      for (const type of [
        'text/plain',
        'application/x-zip',
        'text/html',
        '*/*',
        'application/json',
      ]) {
        await repel(publish({ 'content-type': type }), 'unsupported_media_type');
      }
      const yaml = 'application/yaml';
      for (const coding of ['gzip', 'br', 'deflate', 'compress', 'gzip, gzip', 'x']) {
        const coded = { 'content-type': yaml, 'content-encoding': coding };
        await repel(publish(coded), 'unsupported_media_type');
      }
      const packed = new Uint8Array(gzipSync(rule));
      const gzipped = { 'content-type': yaml, 'content-encoding': 'gzip' };
      const coded = () => post(`/api/policies/${id}/publish`, packed, gzipped);
      await repel(coded, 'unsupported_media_type');
      const body = '{"snapshot":"1.0.0"}';
      const plain = { 'content-type': 'text/plain' };
      const rollback = () => post(`/api/policies/${id}/rollback`, body, plain);
      await repel(rollback, 'unsupported_media_type');
    });

    it.each<[string, string | Uint8Array]>([
      ['too deep', `${'['.repeat(30_000)}${']'.repeat(30_000)}`],
      ['a name twice', '{"snapshot":"1.0.0","snapshot":"2.0.0"}'],
      ['a name twice, spelled otherwise', '{"snapshot":"1.0.0","snapsho\\u0074":"2.0.0"}'],
      ['a name of the prototype', '{"__proto__":{"snapshot":"1.0.0"}}'],
      ['another name of the prototype', '{"constructor":{"prototype":{}}}'],
      ['an unknown name', '{"snapshot":"1.0.0","force":true}'],
      ['half of it', '{"snapshot":'],
      ['more than it', '{}{}'],
      ['no JSON', "{'snapshot': 1}"],
      ['bytes that are no UTF-8', Buffer.from('{"reason":"\xff\xfe"}', 'latin1')],
      ['control characters', '{"reason":"a\\u0000b\\r\\nSet-Cookie: x\\u001b[2J"}'],
      ['a path for a snapshot', '{"snapshot":"../../etc/passwd"}'],
      ['a key for a snapshot', '{"snapshot":"v1#body"}'],
      ['a number for a snapshot', '{"snapshot":1e400}'],
      ['a long snapshot', `{"snapshot":"${'v'.repeat(1000)}"}`],
    ])('refuses JSON: %s', async (_, body) => {
      const bytes = typeof body === 'string' ? body : new Uint8Array(body);
      const json = { 'content-type': 'application/json' };
      await repel(() => post(`/api/policies/${id}/rollback`, bytes, json), 'invalid_request');
    });

    it.each([
      '..%2f..%2fetc%2fpasswd',
      '..%5c..%5cwindows',
      '%2e%2e%2f',
      `${id}%2fpublish`,
      `${id}%00`,
      `${id}%0d%0aX-Evil:%201`,
      `${id}%23channel`,
      `${id}%20`,
      '%ff%fe',
      '%zz',
      '__proto__',
      '%E2%80%AE',
      'a'.repeat(129),
      '-rf',
      '.hidden',
      '*',
    ])('refuses an id: %s', async (hostile) => {
      // An emulated gateway decodes a path before it hands it on: these name the policy itself.
      if (cast.service.behindGateway && /%(?:00|20|23)/.test(hostile)) return;
      const read = (below: string) => () =>
        cast.reader.fetch('GET', `/api/policies/${hostile}${below}`);
      for (const below of ['', '/history', '/snapshots/1.0.0', '/attachments']) {
        await repel(read(below), 'invalid_request', 'not_found');
      }
      const yaml = { 'content-type': 'application/yaml' };
      const publish = () => post(`/api/policies/${hostile}/publish`, ruleYaml(id), yaml);
      await repel(publish, 'invalid_request', 'not_found');
    });

    it('knows no policy by the name of something that every object has', async () => {
      for (const property of ['constructor', 'toString', 'hasOwnProperty', 'valueOf']) {
        await repel(() => cast.reader.fetch('GET', `/api/policies/${property}`), 'not_found');
        const query = { from: property, to: property };
        const path = `/api/policies/${id}/diff?${new URLSearchParams(query).toString()}`;
        await repel(() => cast.reader.fetch('GET', path), 'not_found');
      }
    });

    it.each([
      ['unknown', '?tenant=other'],
      ['mistyped', '?chanel=dev'],
      ['of the prototype', '?__proto__=1'],
      ['of the prototype, in brackets', '?__proto__[limit]=1'],
      ['a list', '?limit[]=1'],
      ['repeated', '?limit=1&limit=1'],
      ['repeated and different', '?limit=1&limit=200'],
      ['huge', '?limit=99999999999999999999'],
      ['negative', '?limit=-1'],
      ['a fraction', '?limit=1.5'],
      ['no number', '?limit=NaN'],
      ['infinite', '?limit=Infinity'],
      ['empty', '?limit='],
      ['a forged cursor', `?cursor=${cursorOf('zz#~')}`],
      ['a cursor that climbs', `?cursor=${cursorOf('../x')}`],
      ['a cursor with NUL', `?cursor=${cursorOf('a\0b')}`],
      ['a cursor that is none', '?cursor=%00%01'],
      ['an empty cursor', '?cursor='],
      ['a long cursor', `?cursor=${cursorOf('a'.repeat(600))}`],
      ['8 KB long', `?limit=${'1'.repeat(8000)}`],
    ])('refuses a parameter: %s', async (_, query) => {
      for (const path of ['/api/policies', '/api/manifest', `/api/policies/${id}/snapshots`]) {
        await repel(() => cast.reader.fetch('GET', path + query), 'invalid_request');
      }
      const audit = () => cast.auditor.fetch('GET', `/api/audit${query}`);
      await repel(audit, 'invalid_request');
    });

    it('refuses a query of 100 KB', async () => {
      if (cast.service.behindGateway) return;
      const query = `?limit=${'1'.repeat(100_000)}`;
      const read = () => cast.reader.fetch('GET', `/api/policies${query}`);
      await repel(read, 'too_large', 'invalid_request');
    });

    it('takes the cursor of another list for what it is there, or refuses it', async () => {
      for (const position of [
        '7',
        id,
        'v2024-06-10-1830-9f86d081',
        '2024-06-10T18:30:00.000Z#000000000007',
      ]) {
        for (const path of ['/api/policies', `/api/policies/${id}/history`, '/api/manifest']) {
          const answer = await cast.reader.fetch('GET', `${path}?cursor=${cursorOf(position)}`);
          expect([200, 400], answer.text).toContain(answer.status);
          expect(await state()).toEqual(before);
        }
      }
    });

    it.each(Object.keys(hostileQueries))('refuses a GraphQL query: %s', async (what) => {
      const json = { 'content-type': 'application/json' };
      const [query, reason = /./] = hostileQueries[what] ?? [];
      const ask = () => post(feedOperations.queryGraph.path, JSON.stringify({ query }), json);
      const { errors } = await repel(ask, 'invalid_request');
      expect(errors?.[0]?.detail).toMatch(reason);
    });

    it('answers GraphQL arguments that are none with an error of the query, not of ours', async () => {
      for (const after of ['\u0000', '#~', '', 'a'.repeat(3000), '../x']) {
        const query = 'query($after: ID) { policies(after: $after) { id } }';
        const { text } = await cast.reader.call(feedOperations.queryGraph, {
          json: { query, variables: { after } },
        });
        expect(text).toContain('"message":"after is the id of a policy."');
      }
    });

    it('bounds what one query may make it hold', async () => {
      const large = uniqueId('large');
      await publishRule(cast.editor, large, { text: 'x'.repeat(250_000) });
      const rules = Array.from({ length: 10 }, (_, i) => `r${i}: rule`).join(' ');
      const root = Array.from(
        { length: 10 },
        (_, i) => `p${i}: policy(id: "${large}") { ...Rules }`,
      ).join(' ');
      const query = `{ ${root} } fragment Rules on Policy { ${rules} }`;
      const answer = await cast.reader.call(feedOperations.queryGraph, { json: { query } });
      expect(answer.elapsedMs).toBeLessThan(boundedMs);
      expect(answer.bytes.byteLength).toBeLessThan(5 * 1024 * 1024);
      expect(answer.text).toContain('more than 4 MiB');
    });

    it('takes no header for more than it is', async () => {
      const path = `/api/policies/${id}`;
      const forged = {
        'x-tenant': 'other',
        'x-forwarded-user': 'admin',
        'x-http-method-override': 'DELETE',
        'x-original-url': '/api/audit',
        'x-rewrite-url': '/api/audit',
        'x-forwarded-host': 'evil.example',
        forwarded: 'host=evil.example',
        range: 'bytes=0-1',
        cookie: '__proto__=1',
      };
      const plain = await cast.reader.fetch('GET', path);
      const answer = await cast.reader.fetch('GET', path, { headers: forged });
      expect([answer.status, answer.text]).toEqual([200, plain.text]);
      const long = { 'if-none-match': ','.repeat(5000) };
      expect((await cast.reader.fetch('GET', path, { headers: long })).status).toBe(200);
      const isAscii = (text: string) => /^[ -~]*$/.test(text) || !cast.service.behindGateway;
      for (const reason of ['\u009b2J', 'a'.repeat(501), ' '].filter(isAscii)) {
        const headers = { 'x-reason': reason, 'content-type': 'application/yaml' };
        const publish = () => post(`${path}/publish`, ruleYaml(id, { version: '6.6.6' }), headers);
        await repel(publish, 'invalid_request');
      }
      const types = ['text/html\u0085', 'a', 'a/b; c', `a/${'b'.repeat(300)}`, 'text/plain;='];
      for (const type of types.filter(isAscii)) {
        const attach = () => post(`${path}/attachments?name=a`, 'x', { 'content-type': type });
        await repel(attach, 'invalid_request');
      }
      const guard = { 'if-match': '"x",'.repeat(2000), 'content-type': 'application/json' };
      await repel(() => post(`${path}/rollback`, '{}', guard), 'precondition_failed');
    });
  });
}

function cursorOf(position: string): string {
  return Buffer.from(position).toString('base64url');
}
