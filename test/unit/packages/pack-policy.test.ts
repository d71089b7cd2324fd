import { afterEach, describe, expect, it } from 'vitest';
import { sha256Hex } from '../../../src/core/packages/digest.ts';
import { packPolicy } from '../../../src/core/packages/pack-policy.ts';
import { readPackage } from '../../../src/core/packages/read-package.ts';

const yaml = Buffer.from('id: a\nversion: 1.0.0\n');
const home = process.env['TZ'];

afterEach(() => {
  if (home === undefined) delete process.env['TZ'];
  else process.env['TZ'] = home;
});

describe('packPolicy', () => {
  it('makes a package that reads back', async () => {
    const { rule, entries } = await readPackage(packPolicy(yaml));
    expect(rule.id).toBe('a');
    expect(entries).toEqual([
      { path: 'policy.yaml', sizeBytes: yaml.length, sha256: sha256Hex(yaml) },
    ]);
  });

  it('keeps the bytes as they are', () => {
    expect(Buffer.from(packPolicy(yaml)).includes(yaml)).toBe(true);
  });

  // The digest is the address of every document ever packed: it may never change.
  it('makes these very bytes', () => {
    expect(sha256Hex(packPolicy(yaml))).toBe(
      '1345ed68ea67476903b245ee397ce063662da47c88eba86acbbcec2a08359ad9',
    );
  });

  it('makes the same bytes in every time zone', () => {
    const digests = new Set<string>();
    const offsets = new Set<number>();
    for (const zone of Intl.supportedValuesOf('timeZone')) {
      process.env['TZ'] = zone;
      offsets.add(new Date(1980, 0, 1).getTimezoneOffset());
      digests.add(sha256Hex(packPolicy(yaml)));
    }
    // Else the zone was not really changed, and the test says nothing.
    expect(offsets.size).toBeGreaterThan(20);
    expect(digests.size).toBe(1);
  });
});
