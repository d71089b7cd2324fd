import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { InvalidRequest } from '../../../src/core/errors/app-error.ts';
import { isRouted, parseServicePath } from '../../../src/core/gateway/service-path.ts';

describe('parseServicePath', () => {
  it.each([
    ['', '', ''],
    ['/', '/', ''],
    ['?a', '', '?a'],
    ['/a/b;c?d=/../e?f', '/a/b;c', '?d=/../e?f'],
    ['/a/', '/a/', ''],
  ])('splits %s', (target, path, query) => {
    expect(parseServicePath(target)).toEqual({ path, query });
  });

  it.each([
    'a',
    '.',
    '/..',
    '/../a',
    '/a/..',
    '/a/.',
    '//',
    '/a//b',
    '/%2F',
    '/%5c',
    '/%2e',
    '/%1f',
    '/%7F',
    '/%',
    '/%g0',
    '/ä',
    '/a b',
    '/a\\b',
    '/a?b c',
    '/a?ä',
    '/a#b',
  ])('refuses %s', (target) => {
    expect(() => parseServicePath(target)).toThrow(InvalidRequest);
  });

  it('lets nothing through that a URL would take for another path', () => {
    const piece = fc.constantFrom(
      '/',
      '.',
      '..',
      '%2e',
      '%2f',
      '%5C',
      ';',
      'a',
      '%20',
      '\\',
      '?',
      '#',
      '%25',
      '2e',
      '%0a',
      ' ',
      'é',
    );
    const target = fc.array(piece, { maxLength: 12 }).map((pieces) => `/${pieces.join('')}`);
    fc.assert(
      fc.property(target, (text) => {
        let path: string;
        try {
          path = parseServicePath(text).path;
        } catch {
          return;
        }
        expect(new URL(`http://x${text}`).pathname).toBe(path);
        const decoded = decodeURIComponent(decodeURIComponent(path.replaceAll('%25', '%2525')));
        expect(
          new URL(`http://x${decoded.replaceAll(/[?#%]/g, '_')}`).pathname.split('/').length,
        ).toBe(path.split('/').length);
      }),
    );
  });
});

describe('isRouted', () => {
  it.each([
    ['/check', '/check', true],
    ['/check', '/check/', true],
    ['/check', '/check/a/b', true],
    ['/check', '/checks', false],
    ['/check', '/', false],
    ['/check/a', '/check', false],
    ['/', '/', true],
    ['/', '/anything/at/all', true],
    ['/check', '/CHECK', false],
  ])('%s lets %s through: %s', (route, path, expected) => {
    expect(isRouted([route], path)).toBe(expected);
  });

  it('goes by any of the routes', () => {
    expect(isRouted(['/a', '/b'], '/b/c')).toBe(true);
    expect(isRouted([], '/b/c')).toBe(false);
  });
});
