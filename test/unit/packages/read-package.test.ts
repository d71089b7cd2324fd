import { Readable } from 'node:stream';
import { createInflateRaw, deflateRawSync } from 'node:zlib';
import { zipSync } from 'fflate';
import { describe, expect, it, vi } from 'vitest';
import { sha256Hex } from '../../../src/core/packages/digest.ts';
import { packageLimits } from '../../../src/core/packages/package-limits.ts';
import { readPackage } from '../../../src/core/packages/read-package.ts';
import { hostileZip, type HostileEntry } from '../../support/hostile-zip.ts';
import { realPolicy, realZips } from './real-zips.ts';
import { refusalOf } from './refusal-of.ts';

const policy: HostileEntry = { name: 'policy.yaml', content: 'id: a\nversion: 1.0.0\n', method: 8 };
const packageOf = (...entries: HostileEntry[]) => hostileZip({ entries: [policy, ...entries] });
const pathsOf = async (bytes: Uint8Array) =>
  (await readPackage(bytes)).entries.map(({ path }) => path);

describe('readPackage takes', () => {
  it.each(Object.entries(realZips))('a package by %s', async (_tool, base64) => {
    const { rule, entries } = await readPackage(Buffer.from(base64, 'base64'));
    expect(rule).toMatchObject({ id: 'epa-pm25-limit', version: '2.0.0', effectiveAt: null });
    expect(entries.find(({ path }) => path === 'policy.yaml')).toEqual({
      path: 'policy.yaml',
      sizeBytes: realPolicy.length,
      sha256: sha256Hex(Buffer.from(realPolicy)),
    });
  });

  it.each([0, 6] as const)('a package by fflate at level %i', async (level) => {
    const text = (content: string) => new TextEncoder().encode(content);
    const files = {
      'schema.json': text('{"type":"object"}'),
      'policy.yaml': text(realPolicy),
      scenarios: { 'smog.yaml': text('pm25: 30') },
    };
    expect(await pathsOf(zipSync(files, { level }))).toEqual([
      'policy.yaml',
      'scenarios/smog.yaml',
      'schema.json',
    ]);
  });

  it('all entries that a package may hold, sorted, without the folder', async () => {
    const entries = [
      { name: 'scenarios/', both: { attributes: 0o40755 * 0x10000 + 0x10 } },
      { name: 'scenarios/A-b_c.1.yaml', content: '- 1' },
      { name: 'signature.dsse.json', content: '{}' },
      { name: 'metadata.json', content: '\ufeff{"a": [1]}' },
      { name: 'schema.json', content: '{}', method: 8 },
    ];
    expect(await pathsOf(packageOf(...entries))).toEqual([
      'metadata.json',
      'policy.yaml',
      'scenarios/A-b_c.1.yaml',
      'schema.json',
      'signature.dsse.json',
    ]);
  });

  it.each(['signed', 'unsigned'] as const)('%s data descriptors', async (descriptor) => {
    const entries = [
      { name: 'metadata.json', content: '{}', descriptor },
      { name: 'schema.json', content: '{}', method: 8, descriptor },
    ];
    expect(await pathsOf(packageOf(...entries))).toHaveLength(3);
  });

  it('entries that lie in another order than the directory lists them', async () => {
    const zip = packageOf({ name: 'metadata.json', content: '{}' });
    const start = zip.readUInt32LE(zip.length - 6);
    const [first, second] = [zip.subarray(start, start + 57), zip.subarray(start + 57, -22)];
    const swapped = Buffer.concat([zip.subarray(0, start), second, first, zip.subarray(-22)]);
    expect(await pathsOf(swapped)).toEqual(['metadata.json', 'policy.yaml']);
  });

  it('64 entries', async () => {
    const entries = Array.from({ length: 63 }, (_, index) => ({
      name: `scenarios/${index}.yaml`,
      content: '1',
    }));
    expect(await pathsOf(packageOf(...entries))).toHaveLength(64);
  });

  it('a part of a larger buffer', async () => {
    const zip = packageOf();
    const larger = Buffer.concat([Buffer.alloc(7), zip, Buffer.alloc(7)]);
    expect(await pathsOf(larger.subarray(7, -7))).toEqual(['policy.yaml']);
  });
});

describe('readPackage refuses by size', () => {
  it('more than 5 MiB packed, unread', async () => {
    const refusal = await refusalOf(() => readPackage(Buffer.alloc(5 * 1024 * 1024 + 1)));
    expect(refusal).toMatchObject({ code: 'too_large', message: expect.stringContaining('5 MiB') });
  });

  it.each([
    ['a rule', { ...policy, content: `#${' '.repeat(packageLimits.maxYamlBytes)}`, method: 8 }],
    ['a scenario', { name: 'scenarios/a.yaml', content: Buffer.alloc(300_000, 0x20), method: 8 }],
    ['a JSON file', { name: 'metadata.json', content: Buffer.alloc(1_100_000, 0x20), method: 8 }],
    ['a folder with content', { name: 'scenarios/', content: 'x' }],
  ])('%s above its limit', async (_name, entry) => {
    const entries = entry.name === 'policy.yaml' ? [entry] : [policy, entry];
    const refusal = await refusalOf(() => readPackage(hostileZip({ entries })));
    expect(refusal.code).toBe('invalid_package');
    expect(refusal.details[0]).toEqual({
      pointer: entry.name,
      detail: expect.stringMatching(/more than \d+ KiB unpacked/),
    });
  });

  it('scenarios that are too long together', async () => {
    const content = `#${' '.repeat(250_000)}\n1`;
    const entries = [1, 2, 3, 4, 5].map((index) => ({
      name: `scenarios/${index}.yaml`,
      content,
      method: 8,
    }));
    expect(await pathsOf(packageOf(...entries.slice(0, 4)))).toHaveLength(5);
    const { details } = await refusalOf(() => readPackage(packageOf(...entries)));
    expect(details[0]?.detail).toMatch(/All YAML of the package has more than 1024 KiB/);
  });

  it('more than 20 MiB declared in total, without inflating a byte', async () => {
    // The content is broken: were it inflated, that would be the finding.
    const entry = (name: string) => ({
      name,
      method: 8,
      packed: Buffer.from([255]),
      both: { sizeBytes: 8 * 1024 * 1024 },
    });
    const entries = ['schema.json', 'metadata.json', 'signature.dsse.json'].map(entry);
    const { details } = await refusalOf(() => readPackage(packageOf(...entries)));
    expect(details[0]?.detail).toMatch(/The package has more than 20480 KiB unpacked/);
  });

  it('a bomb that declares little, after one chunk of it', async () => {
    const inflaters = createInflateRaw().constructor;
    const push = vi.spyOn(Readable.prototype, 'push');
    const packed = deflateRawSync(Buffer.alloc(200_000_000));
    const bomb = { name: 'metadata.json', content: '{}', method: 8, packed };
    const { details } = await refusalOf(() => readPackage(packageOf(bomb)));
    const inflatedBytes = push.mock.calls
      .filter((_call, index) => push.mock.contexts[index]?.constructor === inflaters)
      .reduce((sum, [chunk]) => sum + (Buffer.isBuffer(chunk) ? chunk.length : 0), 0);
    push.mockRestore();
    expect(details).toEqual([
      { pointer: 'metadata.json', detail: expect.stringContaining('its content is longer') },
    ]);
    expect(inflatedBytes).toBeGreaterThan(2);
    expect(inflatedBytes).toBeLessThanOrEqual(2 * 16 * 1024);
  });
});

describe('readPackage refuses content:', () => {
  const deepObject = `{"a":${'['.repeat(64)}${']'.repeat(64)}}`;
  const cases: [what: string, name: string, content: string | Uint8Array, detail: RegExp][] = [
    ['JSON that does not parse', 'metadata.json', '{', /not JSON/],
    ['JSON that is no object', 'schema.json', '[]', /JSON object/],
    ['JSON null', 'schema.json', 'null', /JSON object/],
    ['JSON with a name twice', 'signature.dsse.json', '{"a":1,"a":2}', /repeats the name "a"/],
    ['JSON that is too deep', 'schema.json', deepObject, /deeper than 64/],
    ['JSON that is not UTF-8', 'metadata.json', Buffer.from([0x7b, 0xff, 0x7d]), /UTF-8/],
    ['a scenario that is empty', 'scenarios/a.yaml', '', /the document is empty/],
    ['a scenario that is not UTF-8', 'scenarios/a.yaml', Buffer.from([0xff]), /UTF-8/],
  ];
  it.each(cases)('%s', async (_what, name, content, detail) => {
    const refusal = await refusalOf(() => readPackage(packageOf({ name, content })));
    expect(refusal.code).toBe('invalid_package');
    const [finding] = refusal.details;
    expect(finding?.pointer.split('#')[0]).toBe(name);
    expect(finding?.detail).toMatch(detail);
  });

  it('a scenario with errors, by file and pointer', async () => {
    const scenario = { name: 'scenarios/a.yaml', content: 'a: {b: 1, b: .nan}' };
    const { details } = await refusalOf(() => readPackage(packageOf(scenario)));
    expect(details.map(({ pointer }) => pointer)).toEqual([
      'scenarios/a.yaml#/a/b',
      'scenarios/a.yaml#/a/b',
    ]);
    expect(details[0]?.detail).toMatch(/^line 1, column 11: the key "b"/);
  });

  it('a rule that is none, as invalid_policy', async () => {
    const zip = hostileZip({ entries: [{ name: 'policy.yaml', content: 'id: 1' }] });
    const refusal = await refusalOf(() => readPackage(zip));
    expect(refusal.code).toBe('invalid_policy');
    expect(refusal.details.map(({ pointer }) => pointer)).toEqual(['/id', '/version']);
  });

  it.each([
    ['no entry at all', []],
    ['no policy.yaml', [{ name: 'metadata.json', content: '{}' }]],
  ])('%s', async (_name, entries) => {
    const { details } = await refusalOf(() => readPackage(hostileZip({ entries })));
    expect(details[0]?.detail).toMatch(/policy.yaml is missing/);
  });
});
