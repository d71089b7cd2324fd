import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { problemSchema } from '../../src/contract/problem-schema.ts';
import { journalOf, publishRule, readRule } from '../support/cast.ts';
import { brokenRequests } from '../support/broken-requests.ts';
import { localService } from '../support/local-service.ts';
import { uniqueId } from '../support/policy-documents.ts';
import { exchange } from '../support/raw-http.ts';
import type { Service } from '../support/service.ts';
import { clientFor, type ServiceClient } from '../support/service-client.ts';
import { type LocalServer, startLocalServer } from '../support/start-local-server.ts';

const boundedMs = 5000;
const end = '\r\n\r\n';
const names = Object.keys(brokenRequests({ token: '', editorToken: '', id: '' }));

/** Local only: API Gateway has an HTTP server of its own. */
describe('embedded: requests written by hand', () => {
  const id = uniqueId('raw');
  let server: LocalServer;
  let service: Service;
  let reader: ServiceClient;
  let auditor: ServiceClient;
  let token: string;
  let editorToken: string;

  beforeAll(async () => {
    server = await startLocalServer();
    service = localService(server);
    reader = await clientFor(service, 'demo-service');
    auditor = await clientFor(service, 'demo-auditor');
    token = await service.token('demo-service');
    editorToken = await service.token('demo-editor');
    await publishRule(await clientFor(service, 'demo-editor'), id, { limit: 1 });
  });
  afterAll(() => server.stop());

  function get(path: string, ...fields: readonly string[]): string {
    const authorization = `Authorization: Bearer ${token}`;
    return [`GET ${path} HTTP/1.1`, 'Host: localhost', authorization, ...fields].join('\r\n') + end;
  }

  it.each(names)('refuses %s, and is as before', async (name) => {
    const request = brokenRequests({ token, editorToken, id })[name];
    if (request === undefined) throw new Error(name);
    const { answers, elapsedMs } = await exchange(service.baseUrl, request.bytes, { expected: 1 });
    expect(answers).toHaveLength(1);
    const { status, headers, body } = answers[0] ?? {};
    expect(status, body).toBe(request.status);
    expect(headers?.get('content-type')).toBe('application/problem+json');
    expect(problemSchema.parse(JSON.parse(body ?? ''))).toMatchObject({
      status: request.status,
      code: request.code,
      requestId: headers?.get('x-request-id'),
    });
    expect(elapsedMs).toBeLessThan(boundedMs);
    expect((await readRule(reader, id)).body).toMatchObject({ limit: 1 });
    expect(await journalOf(auditor, id)).toHaveLength(1);
  });

  it('closes what cannot be answered', async () => {
    for (const bytes of ['CONNECT evil.example:443 HTTP/1.1\r\nHost: evil.example\r\n\r\n']) {
      const { answers, closed } = await exchange(service.baseUrl, bytes);
      expect([answers, closed]).toEqual([[], true]);
    }
  });

  it.each([
    ['no host', 'GET /healthz HTTP/1.1\r\n\r\n'],
    ['a host with a space', 'GET /healthz HTTP/1.1\r\nHost: a b\r\n\r\n'],
    ['a host with a path', 'GET /healthz HTTP/1.1\r\nHost: a/b\r\n\r\n'],
    ['an absolute target that is none', 'GET http://:/ HTTP/1.1\r\nHost: a\r\n\r\n'],
    ['an asterisk', 'OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n'],
    ['a backslash in the path', 'GET /api\\policies HTTP/1.1\r\nHost: a\r\n\r\n'],
  ])('refuses %s', async (_, bytes) => {
    const { answers } = await exchange(service.baseUrl, bytes, { expected: 1 });
    expect(answers.map(({ status }) => status)).toEqual([400]);
  });

  it('answers an absolute target, whatever host it names, as its own', async () => {
    const target = `http://evil.example/api/policies/${id}`;
    const { answers } = await exchange(service.baseUrl, get(target), { expected: 1 });
    expect(answers[0]?.status).toBe(200);
    expect(answers[0]?.body).not.toContain('evil');
  });

  it('climbs nowhere by dots in a path', async () => {
    for (const path of [
      '/docs/../../../../etc/passwd',
      '/docs/..%2f..%2f..%2fetc%2fpasswd',
      `/api/policies/${id}/../../../etc/passwd`,
      '/%2e%2e/%2e%2e/etc/passwd',
      '//etc/passwd',
      '/docs/./../clients.json',
      '/.hms/clients.json',
    ]) {
      const { answers } = await exchange(service.baseUrl, get(path), { expected: 1 });
      expect([400, 404], path).toContain(answers[0]?.status);
      expect(answers[0]?.headers.get('content-type')).toBe('application/problem+json');
    }
  });

  it('speaks HTTP/1.0, and closes the connection after it', async () => {
    const rule = get(`/api/policies/${id}`).replace('HTTP/1.1', 'HTTP/1.0');
    const { answers, closed } = await exchange(service.baseUrl, rule);
    expect(closed).toBe(true);
    expect(answers[0]?.status).toBe(200);
    expect(answers[0]?.headers.get('content-length')).toBe(String(answers[0]?.body.length));
  });

  it('answers pipelined requests in their order, each with its own', async () => {
    const etag = (await readRule(reader, id)).headers.get('etag') ?? '';
    const requests = [
      get(`/api/policies/${id}`),
      get('/nowhere'),
      get(`/api/policies/${id}`, `If-None-Match: ${etag}`),
      get('/api/policies?limit=0'),
      get(`/api/policies/${id}/history`, 'Content-Length: 5').concat('hello'),
      get('/healthz'),
      get(`/api/policies/${id}`, 'Connection: close'),
    ];
    const { answers, closed } = await exchange(service.baseUrl, requests.join(''));
    expect(answers.map(({ status }) => status)).toEqual([200, 404, 304, 400, 200, 200, 200]);
    expect(answers[0]?.body).toBe(answers[6]?.body);
    expect(closed).toBe(true);
  });

  it('takes no body for the next request', async () => {
    const hidden = get('/api/policies');
    const post = [
      'POST /api/graphql HTTP/1.1',
      'Host: localhost',
      'Content-Type: application/json',
      `Content-Length: ${hidden.length}`,
    ].join('\r\n');
    const bytes = `${post}${end}${hidden}${get('/healthz', 'Connection: close')}`;
    const { answers } = await exchange(service.baseUrl, bytes);
    // The first has no token: it is refused before its body is read.
    expect(answers.map(({ status }) => status)).toEqual([401, 200]);
    expect(answers[1]?.body).toBe('{"status":"ok"}');
  });

  it('asks for the body that it wants, and not for one that it refuses', async () => {
    const post = (...fields: readonly string[]) =>
      [
        `POST /api/policies/${id}/publish HTTP/1.1`,
        'Host: localhost',
        'Expect: 100-continue',
        'Content-Type: application/yaml',
        ...fields,
      ].join('\r\n') + end;
    const wanted = post(`Authorization: Bearer ${editorToken}`, 'Content-Length: 10');
    const one = await exchange(service.baseUrl, wanted, { expected: 1 });
    expect(one.answers.map(({ status }) => status)).toEqual([100]);
  });

  it('does not count a caller who goes away in the middle as a failure of its own', async () => {
    const path = `/api/policies/${id}/publish`;
    const type = 'Content-Type: application/yaml';
    const head = [`POST ${path} HTTP/1.1`, 'Host: localhost', type, 'Content-Length: 1000'];
    const bytes = `${[...head, `Authorization: Bearer ${editorToken}`].join('\r\n')}${end}id: `;
    await exchange(service.baseUrl, bytes, { waitMs: 300 });
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(server.log().filter(({ level }) => level === 'error')).toEqual([]);
    const metrics = await (await fetch(`${service.baseUrl}/metrics`)).text();
    for (const [line, count] of metrics.matchAll(/^hms_requests_failed\{.*\} (\d+)$/gm)) {
      expect(count, line).toBe('0');
    }
  });
});
