import { unzipSync } from 'fflate';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AppError } from '../../../src/core/errors/app-error.ts';
import { sha256Hex } from '../../../src/core/packages/digest.ts';
import { type PolicyPackage, readPackage } from '../../../src/core/packages/read-package.ts';
import { type HeaderFields, type HostileEntry, hostileZip } from '../../support/hostile-zip.ts';
import { realZips } from './real-zips.ts';

const valid = hostileZip({
  entries: [
    { name: 'policy.yaml', content: 'id: a\nversion: 1.0.0\nlimit: 25\n', method: 8 },
    {
      name: 'metadata.json',
      content: '{"a": "aaaaaaaaaaaaaaaaaaaaa"}',
      method: 8,
      descriptor: 'signed',
    },
    { name: 'scenarios/', both: { attributes: 0o40755 * 0x10000 + 0x10 } },
    { name: 'scenarios/a.yaml', content: 'a: 1\n' },
  ],
});
const seeds = [valid, ...Object.values(realZips).map((base64) => Buffer.from(base64, 'base64'))];

/** The package, or undefined for a refusal. Fails the test on anything but an `AppError`. */
async function read(bytes: Uint8Array): Promise<PolicyPackage | undefined> {
  try {
    return await readPackage(bytes);
  } catch (error) {
    if (error instanceof AppError) return undefined;
    throw error;
  }
}

/** What another reader sees, by path. */
function seenByFflate(bytes: Uint8Array): Record<string, string> {
  const files = Object.entries(unzipSync(bytes)).filter(([path]) => !path.endsWith('/'));
  return Object.fromEntries(files.map(([path, content]) => [path, sha256Hex(content)]));
}

function seenByUs({ entries }: PolicyPackage): Record<string, string> {
  return Object.fromEntries(entries.map(({ path, sha256 }) => [path, sha256]));
}

describe('readPackage, whatever comes', () => {
  it.each(seeds.map((seed, index) => [index, seed] as const))(
    'finds each flipped byte of seed %i, or reads the same content',
    async (_index, seed) => {
      const before = await readPackage(seed);
      let refused = 0;
      for (let at = 0; at < seed.length; at += 1) {
        for (const flip of [1 << (at % 8), 0xff]) {
          const mutant = Buffer.from(seed);
          mutant.writeUInt8(mutant.readUInt8(at) ^ flip, at);
          const after = await read(mutant);
          if (after === undefined) refused += 1;
          else expect(after).toStrictEqual(before);
        }
      }
      // Times, owners, permissions and the like may differ; most bytes may not.
      expect(refused).toBeGreaterThan(seed.length);
    },
  );

  it('survives cuts, doublings and overwritten parts, and agrees with fflate', async () => {
    const edit = fc.record({
      at: fc.nat(1000),
      drop: fc.nat(20),
      insert: fc.oneof(
        fc.uint8Array({ maxLength: 8 }),
        fc.constantFrom(
          ...[
            '504b0304',
            '504b0102',
            '504b0506',
            '504b0708',
            '504b0607',
            'ffffffff',
            '00000000',
          ].map((hex) => new Uint8Array(Buffer.from(hex, 'hex'))),
        ),
      ),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...seeds),
        fc.array(edit, { minLength: 1, maxLength: 4 }),
        async (seed, edits) => {
          let mutant: Buffer = seed;
          for (const { at, drop, insert } of edits) {
            const start = at % mutant.length;
            const [head, tail] = [mutant.subarray(0, start), mutant.subarray(start + drop)];
            mutant = Buffer.concat([head, insert, tail, Buffer.alloc(1)]).subarray(0, -1);
            if (mutant.length === 0) return;
          }
          const after = await read(mutant);
          if (after !== undefined) expect(seenByUs(after)).toEqual(seenByFflate(mutant));
        },
      ),
      { numRuns: 3000 },
    );
  });

  it('survives random bytes', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), async (bytes) => {
        expect(await read(bytes)).toBeUndefined();
        const framed = Buffer.concat([bytes, endOf(bytes.length, 1)]);
        expect(await read(framed)).toBeUndefined();
      }),
      { numRuns: 1000 },
    );
  });

  it('survives headers that lie, and agrees with fflate', async () => {
    const u16 = fc.constantFrom(0, 1, 8, 20, 0x0800, 0xffff);
    const u32 = fc.oneof(fc.constantFrom(0, 1, 16, 0x7fffffff, 0xffffffff), fc.nat(300));
    const fields: fc.Arbitrary<Partial<HeaderFields>> = fc.record(
      {
        flags: u16,
        method: u16,
        crc: u32,
        packedBytes: u32,
        sizeBytes: u32,
        offset: u32,
        extra: fc.uint8Array({ maxLength: 12 }),
        attributes: u32,
        disk: u16,
        time: u32,
      },
      { requiredKeys: [] },
    );
    const rarely = fc.oneof(
      { weight: 9, arbitrary: fc.constant(undefined) },
      { weight: 1, arbitrary: fields },
    );
    const entryOf = (name: string): fc.Arbitrary<HostileEntry> =>
      fc.record({
        name: fc.constant(name),
        content: fc.constant(name === 'policy.yaml' ? 'id: a\nversion: 1.0.0' : '{}'),
        method: fc.constantFrom(0, 8),
        descriptor: fc.constantFrom(undefined, undefined, 'signed' as const, 'unsigned' as const),
        both: rarely,
        local: rarely,
        central: rarely,
      });
    const names = ['metadata.json', 'schema.json', 'scenarios/a.yaml', '../x'];
    const zips = fc
      .tuple(
        entryOf('policy.yaml'),
        fc.subarray(names).chain((some) => fc.tuple(...some.map(entryOf))),
      )
      .map(([policy, others]) => hostileZip({ entries: [...others, policy] }));
    let taken = 0;
    await fc.assert(
      fc.asyncProperty(zips, async (zip) => {
        const after = await read(zip);
        if (after === undefined) return;
        taken += 1;
        expect(seenByUs(after)).toEqual(seenByFflate(zip));
      }),
      { numRuns: 3000 },
    );
    // Else the generator makes nothing sound, and the comparison says nothing.
    expect(taken).toBeGreaterThan(50);
  });
});

/** An end record for a central directory that starts at 0. */
function endOf(directoryBytes: number, count: number): Buffer {
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(count, 8);
  end.writeUInt16LE(count, 10);
  end.writeUInt32LE(directoryBytes, 12);
  return end;
}
