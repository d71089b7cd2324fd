import { describe, expect, it } from 'vitest';
import { allOperations } from '../../src/contract/operations/all-operations.ts';
import { feedOperations } from '../../src/contract/operations/feed-operations.ts';
import { publishRule, readRule, useCast } from '../support/cast.ts';
import { operationOf } from '../support/check-response.ts';
import { uniqueId } from '../support/policy-documents.ts';
import type { StartService } from '../support/service.ts';
import { serviceClient } from '../support/service-client.ts';
import { settled } from '../support/settled.ts';

const methods = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];

export function describeProtocol(name: string, start: StartService): void {
  describe(`${name}: HTTP`, () => {
    const cast = useCast(start);

    it('is well, and describes itself, to anybody', async () => {
      const anybody = serviceClient(cast.service.baseUrl, null);
      expect((await anybody.fetch('GET', '/healthz')).text).toBe('{"status":"ok"}');
      const page = await anybody.fetch('GET', '/docs');
      expect(page.headers.get('content-type')).toBe('text/html; charset=utf-8');
      expect(page.headers.get('content-security-policy')).toContain("default-src 'none'");
      const linked = [...page.text.matchAll(/(?:src|href)="(docs\/[^"]+)"/g)];
      expect(linked.length).toBeGreaterThan(2);
      for (const [, path = ''] of linked) {
        const asset = await anybody.fetch('GET', `/${path}`);
        expect([asset.status, asset.bytes.byteLength > 100], path).toEqual([200, true]);
      }
      const { text } = await anybody.fetch('GET', '/openapi.json');
      const { openapi, paths } = JSON.parse(text) as { openapi: string; paths: object };
      expect(openapi).toBe('3.1.0');
      expect(Object.keys(paths).sort()).toEqual(
        [...new Set(allOperations.map(({ path }) => path))].sort(),
      );
    });

    it.each(['__proto__', 'constructor', '..%2fpackage.json', 'index.js', '%00', 'x'.repeat(101)])(
      'serves no other file with its page: %s',
      async (asset) => {
        const anybody = serviceClient(cast.service.baseUrl, null);
        const { status } = await anybody.fetch('GET', `/docs/${asset}`);
        expect([400, 404]).toContain(status);
      },
    );

    it('answers a request id of ours, or the one that it was given', async () => {
      const idOf = async (headers: Record<string, string>) =>
        (await cast.reader.fetch('GET', '/api/policies', { headers })).headers.get('x-request-id');
      expect(await idOf({ 'x-request-id': 'ours-1' })).toBe('ours-1');
      const [one, two] = [await idOf({}), await idOf({})];
      expect(one).not.toBe(two);
      for (const unfit of ['a b', 'x'.repeat(129), '<script>', '\u0085']) {
        expect(await idOf({ 'x-request-id': unfit })).toMatch(/^[0-9a-f-]{36}$/);
      }
    });

    it('answers what is not there with 404', async () => {
      for (const path of ['/', '/api', '/api/policies/', '/API/policies', '/api/policy', '/.git']) {
        const answer = await cast.reader.fetch('GET', path);
        expect(answer.status, path).toBe(404);
      }
    });

    it('answers a method that a path has not with 405 and those that it has', async () => {
      if (cast.service.behindGateway) return;
      const paths = new Set(allOperations.map(({ path }) => path.replaceAll(/\{\w+\}/g, 'x')));
      for (const path of paths) {
        // `/jobs/lease` is a path of `/jobs/{job}`, too.
        const held = methods.filter((method) => operationOf({ method, path }) !== undefined);
        for (const method of methods.filter((each) => !held.includes(each))) {
          const answer = await cast.reader.fetch(method, path);
          expect(answer.status, `${method} ${path}`).toBe(405);
          const allowed = answer.headers.get('allow')?.split(', ') ?? [];
          expect(allowed.filter((each) => each !== 'HEAD').sort()).toEqual(held.sort());
        }
      }
    });

    it('answers HEAD like GET, without the body', async () => {
      if (cast.service.behindGateway) return;
      const id = uniqueId('head');
      const { body } = await publishRule(cast.editor, id);
      await settled(cast.service, () => readRule(cast.reader, id));
      const below = ['', '/history', '/snapshots', `/snapshots/${body.snapshot}`, '/attachments'];
      const open = ['/api/policies', '/api/manifest', '/healthz', '/docs', '/openapi.json'];
      for (const path of open.concat(below.map((each) => `/api/policies/${id}${each}`))) {
        const got = await cast.reader.fetch('GET', path);
        const head = await cast.reader.fetch('HEAD', path);
        expect(head.status, path).toBe(200);
        for (const header of ['content-type', 'etag', 'cache-control', 'vary']) {
          expect(head.headers.get(header), `${header} of ${path}`).toBe(got.headers.get(header));
        }
      }
      expect((await cast.reader.fetch('HEAD', '/api/stream/policies')).status).toBe(200);
      expect((await cast.reader.fetch('HEAD', '/api/policies/nowhere')).status).toBe(404);
    });

    it('answers as if nothing else were asked of it at the same time', async () => {
      // An emulator runs a process for each call under way.
      const parallel = cast.service.behindGateway ? 8 : 80;
      const ids = Array.from({ length: 8 }, () => uniqueId('many'));
      await Promise.all(ids.map((id) => publishRule(cast.editor, id, { of: id })));
      await Promise.all(
        Array.from({ length: parallel }, async (_, i) => {
          const id = ids[i % ids.length] ?? '';
          const answer = await settled(cast.service, () => readRule(cast.reader, id));
          expect(answer.body['of']).toBe(id);
        }),
      );
    });

    it('refuses a GraphQL request that is none', async () => {
      const { queryGraph } = feedOperations;
      for (const json of [{}, { query: '' }, { query: 1 }, [], 'x', { query: '{' }, null]) {
        await cast.reader.refuse(queryGraph, { json }, 'invalid_request');
      }
      const untyped = { bytes: '{"query":"{policies{id}}"}', contentType: 'text/plain' };
      await cast.reader.refuse(queryGraph, untyped, 'unsupported_media_type');
    });
  });
}
