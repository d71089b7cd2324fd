import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { InvalidRequest } from '../../../src/core/errors/app-error.ts';
import { checkManifest } from '../../../src/core/registry/check-manifest.ts';
import type { ServiceManifest } from '../../../src/core/registry/service-record.ts';
import { check, manifestOf } from './service-desk.ts';

const nothing = () => null;

function findings(
  change: Partial<ServiceManifest>,
  refusal = nothing as (url: string) => string | null,
) {
  try {
    checkManifest(manifestOf('maya', change), refusal);
    return [];
  } catch (error) {
    if (!(error instanceof InvalidRequest)) throw error;
    return error.details.map(({ pointer, detail }) => `${pointer} ${detail}`);
  }
}

const events = (given: Partial<ServiceManifest['events']>): Partial<ServiceManifest> => ({
  events: { publishes: [], subscribes: [], ...given },
});
const many = (count: number, make: (i: number) => string): string[] =>
  Array.from({ length: count }, (_, i) => make(i));

describe('a manifest', () => {
  it.each([
    ['https://A.Example/', 'https://a.example'],
    ['https://a.example:443/x/', 'https://a.example/x'],
    ['http://a.example:8080', 'http://a.example:8080'],
    ['http://127.1:8080/', 'http://127.0.0.1:8080'],
    ['http://[::1]:8080/api', 'http://[::1]:8080/api'],
    ['https://bücher.example', 'https://xn--bcher-kva.example'],
    ['https://a.example/x/../y', 'https://a.example/y'],
    ['https://voucher_service.internal', 'https://voucher_service.internal'],
  ])('has the URL %s in its one form', (given, url) => {
    expect(checkManifest(manifestOf('maya', { url: given }), nothing).url).toBe(url);
    const again = manifestOf('maya', { url });
    expect(checkManifest(again, nothing)).toEqual(again);
  });

  it.each([
    ['', 'must be a URL'],
    ['maya', 'must be a URL'],
    [`https://a.example/${'x'.repeat(512)}`, 'must be a URL of at most 512 characters'],
    [`https://a.example/${'ä'.repeat(200)}`, 'must have a plain path'],
    ['ftp://a.example', 'must begin with https'],
    ['javascript:alert(1)', 'must begin with https'],
    ['https://user@a.example', 'user name or a password'],
    ['https://user:hush@a.example', 'user name or a password'],
    ['https://a.example/?', 'query'],
    ['https://a.example/x?y=1', 'query'],
    ['https://a.example/#', 'fragment'],
    ['https://a.example:22', 'no port, or one above 1023'],
    ['https://a.example/a%2fb', 'plain path'],
    ['https://a.example/a//b', 'plain path'],
    ['https://a..example', 'host name'],
    ['https://-a.example', 'host name'],
    [`https://${'a'.repeat(64)}.example`, 'host name'],
    ['https://a.example*', 'host name'],
  ])('is refused for the URL "%.60s"', (url, detail) => {
    for (const [pointer, change] of [
      ['/url', { url }],
      ['/replicas/0', { replicas: [url] }],
      ['/secondaryUrl', { secondaryUrl: url }],
    ] as const) {
      expect(findings(change)).toEqual([expect.stringContaining(detail)]);
      expect(findings(change)[0]).toMatch(new RegExp(`^${pointer} must`));
    }
  });

  it.each([
    ['a name', { name: 'Maya' }, '/name'],
    ['no route', { routes: [] }, '/routes'],
    ['a route that is no path', { routes: ['/ok', 'check'] }, '/routes/1'],
    ['a route with a query', { routes: ['/check?x'] }, '/routes/0'],
    ['a route that climbs', { routes: ['/a/../b'] }, '/routes/0'],
    ['a route with an escape', { routes: ['/a%2e'] }, '/routes/0'],
    ['a route with a slash at the end', { routes: ['/a/'] }, '/routes/0'],
    ['a long route', { routes: [`/${'a'.repeat(256)}`] }, '/routes/0'],
    ['a route twice', { routes: ['/a', '/b', '/a'] }, '/routes/2'],
    ['too many routes', { routes: many(33, (i) => `/r${i}`) }, '/routes'],
    ['a replica twice', { replicas: ['https://b.example', 'https://b.example/'] }, '/replicas/1'],
    ['itself as a replica', { replicas: ['https://maya.example/'] }, '/replicas/0'],
    ['too many replicas', { replicas: many(17, (i) => `https://r${i}.example`) }, '/replicas'],
    ['itself as the second region', { secondaryUrl: 'https://MAYA.example' }, '/secondaryUrl'],
    ['a health page', { health: { ...check, path: 'health' } }, '/health/path'],
    ['a short interval', { health: { ...check, intervalS: 4 } }, '/health/intervalS'],
    ['a long interval', { health: { ...check, intervalS: 301 } }, '/health/intervalS'],
    ['half a second', { health: { ...check, intervalS: 10.5 } }, '/health/intervalS'],
    [
      'a long timeout',
      { health: { ...check, intervalS: 20, timeoutMs: 10_001 } },
      '/health/timeoutMs',
    ],
    [
      'a timeout beyond the interval',
      { health: { ...check, intervalS: 5, timeoutMs: 5000 } },
      '/health/timeoutMs',
    ],
    ['a threshold of none', { health: { ...check, rise: 0 } }, '/health/rise'],
    ['a large threshold', { health: { ...check, fall: 11 } }, '/health/fall'],
    ['a call without end', { timeoutMs: Infinity }, '/timeoutMs'],
    ['an event', events({ publishes: ['a b'] }), '/events/publishes/0'],
    ['an event twice', events({ publishes: ['a', 'b', 'a'] }), '/events/publishes/2'],
    ['too many events', events({ publishes: many(65, (i) => `e${i}`) }), '/events/publishes'],
    [
      'a subscription',
      events({ subscribes: [{ type: 'A', path: '/events' }] }),
      '/events/subscribes/0',
    ],
    [
      'where it is sent',
      events({ subscribes: [{ type: 'a', path: '//evil.example' }] }),
      '/events/subscribes/0/path',
    ],
  ] as const)('is refused for %s', (_, change, pointer) => {
    expect(findings(change).map((finding) => finding.split(' ', 1)[0])).toEqual([pointer]);
  });

  it('names all that is wrong', () => {
    const found = findings({ url: 'x', routes: [], timeoutMs: 0, secondaryUrl: 'y' });
    expect(found).toHaveLength(4);
  });

  it('asks of each target whether it can be reached at all', () => {
    const asked: string[] = [];
    const refusal = (url: string): string | null => {
      asked.push(url);
      return url.includes('b.') ? 'must not lead there' : null;
    };
    const change = { replicas: ['https://B.example/'], secondaryUrl: 'https://c.example/x' };
    expect(findings(change, refusal)).toEqual(['/replicas/0 must not lead there']);
    expect(asked).toEqual(['https://maya.example', 'https://b.example', 'https://c.example/x']);
  });

  it('takes a path or not, in no time, and only one that every reader takes for the same', () => {
    let taken = 0;
    fc.assert(
      fc.property(fc.webPath(), (path) => {
        const found = findings({ routes: [path] });
        if (found.length > 0) return;
        taken += 1;
        expect(new URL(path, 'https://a.example').pathname).toBe(path);
      }),
      { numRuns: 500 },
    );
    expect(taken).toBeGreaterThan(20);
    const begun = performance.now();
    findings({ routes: [`${'/a'.repeat(128)}%`], url: `https://${'a-'.repeat(240)}` });
    expect(performance.now() - begun).toBeLessThan(50);
  });
});
