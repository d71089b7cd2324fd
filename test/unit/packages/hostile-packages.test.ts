import { crc32, deflateRawSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { readPackage } from '../../../src/core/packages/read-package.ts';
import { extraField, type HostileEntry, hostileZip } from '../../support/hostile-zip.ts';
import { refusalOf } from './refusal-of.ts';

const policy: HostileEntry = { name: 'policy.yaml', content: 'id: a\nversion: 1.0.0\n', method: 8 };
const metadata: HostileEntry = { name: 'metadata.json', content: '{"a": 1}' };
const streamed: HostileEntry = { ...metadata, descriptor: 'signed' };
const deflatedJson: HostileEntry = { ...metadata, method: 8 };
const packageOf = (...entries: HostileEntry[]) => hostileZip({ entries: [policy, ...entries] });
const unixMode = (mode: number) => ({ attributes: mode * 0x10000 });
const u32s = (...values: number[]) => {
  const bytes = Buffer.alloc(values.length * 4);
  for (const [index, value] of values.entries()) bytes.writeUInt32LE(value >>> 0, index * 4);
  return bytes;
};
const content = Buffer.from('{"a": 1}');

/** Each is one lie in a package that is sound without it. */
const attacks: Record<string, [zip: Uint8Array, detail: RegExp]> = {
  // Names.
  'an unknown entry': [packageOf({ name: 'readme.txt' }), /not part of a package/],
  'a rule in a folder': [packageOf({ name: 'x/policy.yaml' }), /not part of a package/],
  'a rule in other letters': [packageOf({ name: 'Policy.yaml' }), /not part|there twice/],
  'a scenario in a deeper folder': [packageOf({ name: 'scenarios/x/y.yaml' }), /not part/],
  'a scenario of another type': [packageOf({ name: 'scenarios/x.yml' }), /not part/],
  'a scenario without a name': [packageOf({ name: 'scenarios/.yaml' }), /not part/],
  'a scenario with a space': [packageOf({ name: 'scenarios/a b.yaml' }), /not part/],
  'another folder': [packageOf({ name: 'images/' }), /not part/],
  'what macOS adds': [packageOf({ name: '__MACOSX/._policy.yaml' }), /not part/],
  'a name twice': [packageOf(metadata, metadata), /there twice/],
  'the rule twice': [packageOf(policy), /there twice/],
  'a name twice but for case': [
    packageOf(
      { name: 'scenarios/A.yaml', content: '1' },
      { name: 'scenarios/a.yaml', content: '1' },
    ),
    /there twice/,
  ],
  'a name twice but for its normal form': [
    packageOf({ name: 'scenarios/\u00e9.yaml' }, { name: 'scenarios/e\u0301.yaml' }),
    /not part/,
  ],
  'an absolute path': [packageOf({ name: '/etc/passwd' }), /absolute/],
  'an absolute path to the rule': [packageOf({ name: '/policy.yaml' }), /absolute/],
  'a drive letter': [packageOf({ name: 'C:policy.yaml' }), /absolute/],
  'a path that climbs': [packageOf({ name: '../policy.yaml' }), /leaves or repeats/],
  'a path that climbs inside': [packageOf({ name: 'scenarios/../schema.json' }), /leaves/],
  'a path that stays': [packageOf({ name: './schema.json' }), /leaves or repeats/],
  'a path with an empty step': [packageOf({ name: 'scenarios//a.yaml' }), /leaves or repeats/],
  'a backslash': [packageOf({ name: 'scenarios\\a.yaml' }), /backslash/],
  'a backslash that climbs': [packageOf({ name: '..\\schema.json' }), /backslash/],
  'an empty name': [packageOf({ name: '' }), /no name/],
  'a NUL in a name': [packageOf({ name: 'schema.json\0.png' }), /control character/],
  'a line feed in a name': [packageOf({ name: 'schema.json\n' }), /control character/],
  'a name that is not UTF-8': [packageOf({ name: Buffer.from([0x61, 0xff]) }), /not UTF-8/],
  'a second name in an extra field': [
    packageOf({ ...metadata, both: { extra: extraField(0x7075, Buffer.from('x')) } }),
    /second name/,
  ],

  // Kinds of entries.
  'a symbolic link': [packageOf({ ...metadata, both: unixMode(0o120777) }), /link/],
  'a symbolic link as the folder': [
    packageOf({ name: 'scenarios/', both: unixMode(0o120777) }),
    /link/,
  ],
  'a device': [packageOf({ ...metadata, both: unixMode(0o060644) }), /special file/],
  'a named pipe': [packageOf({ ...metadata, both: unixMode(0o010644) }), /special file/],
  'a socket': [packageOf({ ...metadata, both: unixMode(0o140644) }), /special file/],
  'a file that is a folder': [packageOf({ ...metadata, both: unixMode(0o040755) }), /folder/],
  'a file that is a folder for DOS': [
    packageOf({ ...metadata, both: { attributes: 0x10 } }),
    /folder/,
  ],
  'a folder that is a file': [
    packageOf({ name: 'scenarios/', both: unixMode(0o100644) }),
    /folder/,
  ],
  'a reparse point': [packageOf({ ...metadata, both: { attributes: 0x400 } }), /link/],
  'a symbolic link made on DOS': [
    packageOf({ ...metadata, both: { ...unixMode(0o120777), madeBy: 20 } }),
    /link/,
  ],

  // Encryption, compression, flags.
  'an encrypted entry': [packageOf({ ...metadata, both: { flags: 1 } }), /encrypted/],
  'strong encryption': [packageOf({ ...metadata, both: { flags: 0x41 } }), /encrypt/],
  'a masked directory': [packageOf({ ...metadata, both: { flags: 0x2000 } }), /encrypted/],
  AES: [packageOf({ ...metadata, both: { method: 99 } }), /method 99/],
  'an AES extra field': [
    packageOf({ ...metadata, both: { extra: extraField(0x9901) } }),
    /encrypted/,
  ],
  'patched data': [packageOf({ ...metadata, both: { flags: 0x20 } }), /unknown flags/],
  LZMA: [packageOf({ ...metadata, both: { method: 14 } }), /method 14/],
  Zstandard: [packageOf({ ...metadata, both: { method: 93 } }), /method 93/],
  deflate64: [packageOf({ ...deflatedJson, both: { method: 9 } }), /method 9/],

  // The header of an entry against the directory.
  'another name in the local header': [
    packageOf({ ...metadata, local: { name: 'metadatX.json' } }),
    /another name in its own header/,
  ],
  'a longer name in the local header': [
    packageOf({ ...metadata, local: { name: 'metadata.jsonx' } }),
    /another name/,
  ],
  'another method in the local header': [
    packageOf({ ...metadata, local: { method: 8 } }),
    /another method/,
  ],
  'other flags in the local header': [
    packageOf({ ...metadata, local: { flags: 0x0800 } }),
    /another flags/,
  ],
  'encryption in the local header alone': [
    packageOf({ ...metadata, local: { flags: 1 } }),
    /another flags/,
  ],
  'a descriptor in the local header alone': [
    packageOf({ ...metadata, local: { flags: 8 } }),
    /another flags/,
  ],
  'another CRC in the local header': [packageOf({ ...metadata, local: { crc: 1 } }), /another CRC/],
  'no CRC in the local header': [packageOf({ ...metadata, local: { crc: 0 } }), /another CRC/],
  'another size in the local header': [
    packageOf({ ...metadata, local: { sizeBytes: 9 } }),
    /another size/,
  ],
  'another packed size in the local header': [
    packageOf({ ...metadata, local: { packedBytes: 9 } }),
    /another packed size/,
  ],
  'another CRC in a streamed local header': [
    packageOf({ ...streamed, local: { crc: 1 } }),
    /another CRC/,
  ],
  'a broken local signature': [packageOf({ ...metadata, local: { signature: 0 } }), /damaged/],
  'a broken directory signature': [
    packageOf({ ...metadata, central: { signature: 0 } }),
    /damaged/,
  ],
  'an offset beyond the file': [
    packageOf({ ...metadata, central: { offset: 0x7fffffff } }),
    /damaged/,
  ],
  'the offset of another entry': [
    packageOf({ ...metadata, central: { offset: 0 } }),
    /another name/,
  ],
  'a comment of an entry': [
    packageOf({ ...metadata, central: { comment: Buffer.from('hi') } }),
    /has a comment/,
  ],
  'an entry on another disk': [packageOf({ ...metadata, central: { disk: 1 } }), /another disk/],
  'broken extra fields': [
    packageOf({ ...metadata, both: { extra: Buffer.from([1]) } }),
    /broken extra fields/,
  ],
  'an extra field that is too long': [
    packageOf({ ...metadata, both: { extra: Buffer.from('abcdefgh') } }),
    /damaged|broken extra fields/,
  ],
  'broken extra fields in the local header': [
    packageOf({ ...metadata, local: { extra: Buffer.from('ab\xff\xff', 'latin1') } }),
    /broken extra fields/,
  ],

  // Data descriptors.
  'a descriptor with another CRC': [
    packageOf({ ...streamed, descriptor: u32s(0x08074b50, 1, 8, 8) }),
    /stray data/,
  ],
  'a descriptor with another size': [
    packageOf({ ...streamed, descriptor: u32s(0x08074b50, crc32(content), 8, 9) }),
    /stray data/,
  ],
  'a descriptor with another packed size': [
    packageOf({ ...streamed, descriptor: u32s(0x08074b50, crc32(content), 9, 8) }),
    /stray data/,
  ],
  'a descriptor with another signature': [
    packageOf({ ...streamed, descriptor: u32s(0x08074b51, crc32(content), 8, 8) }),
    /stray data/,
  ],
  'a ZIP64 descriptor': [
    packageOf({ ...streamed, descriptor: u32s(0x08074b50, crc32(content), 8, 0, 8, 0) }),
    /stray data/,
  ],
  'no descriptor': [packageOf({ ...streamed, descriptor: Buffer.alloc(0) }), /stray data/],

  // Content.
  'another CRC in both headers': [packageOf({ ...metadata, both: { crc: 1 } }), /another CRC/],
  'a stored size that is none': [
    packageOf({ ...metadata, both: { sizeBytes: 7 } }),
    /declares two sizes/,
  ],
  'a declared size that is too small': [
    packageOf({ ...deflatedJson, both: { sizeBytes: 7 } }),
    /its content is longer/,
  ],
  'a declared size that is too large': [
    packageOf({ ...deflatedJson, both: { sizeBytes: 9 } }),
    /of another size/,
  ],
  'a declared size of 0': [packageOf({ ...deflatedJson, both: { sizeBytes: 0 } }), /longer/],
  'bytes behind the compressed content': [
    packageOf({ ...deflatedJson, packed: Buffer.concat([deflateRawSync(content), content]) }),
    /hidden behind/,
  ],
  'compressed content that is cut off': [
    packageOf({ ...deflatedJson, packed: deflateRawSync(content).subarray(0, -2) }),
    /damaged/,
  ],
  'compressed content that is none': [
    packageOf({ ...deflatedJson, packed: Buffer.from([0xff, 0xff]) }),
    /damaged/,
  ],

  // The layout.
  'data before the first entry': [
    hostileZip({ entries: [{ ...policy, gap: Buffer.from('#!/bin/sh\n') }] }),
    /gap/,
  ],
  'data before it all, with offsets left as they were': [
    Buffer.concat([Buffer.from('MZ'), packageOf()]),
    /central directory/,
  ],
  'a gap between entries': [packageOf({ ...metadata, gap: Buffer.from('x') }), /stray data/],
  'a hidden entry': [packageOf({ ...metadata, unlisted: true }), /stray data/],
  'a hidden entry at the start': [
    hostileZip({ entries: [{ ...metadata, unlisted: true }, policy] }),
    /gap/,
  ],
  'a gap before the directory': [
    hostileZip({ entries: [policy], beforeDirectory: Buffer.from('x') }),
    /stray data/,
  ],
  'a gap behind the directory': [
    hostileZip({ entries: [policy], afterDirectory: Buffer.from('x') }),
    /central directory/,
  ],
  'a gap that the directory claims': [
    hostileZip({
      entries: [policy],
      afterDirectory: Buffer.from('x'),
      end: { directoryBytes: 46 + 11 + 1 },
    }),
    /hides data behind its central directory/,
  ],
  'an entry over another': [
    packageOf(metadata, { name: 'schema.json', central: { offset: 0, name: 'schema.json' } }),
    /another name|gap|overlaps/,
  ],
  'an entry within the content of another': [nested(), /gap|overlaps/],
  'two names for one content': [
    packageOf(metadata, { name: 'metadata.json', central: { name: 'metadata.json', offset: 0 } }),
    /another name|twice/,
  ],
  'trailing data': [hostileZip({ entries: [policy], suffix: Buffer.from('x') }), /behind its end/],
  'a second archive behind the first': [Buffer.concat([packageOf(), packageOf()]), /central dir/],
  'a comment': [
    hostileZip({ entries: [policy], suffix: Buffer.from('hi'), end: { commentBytes: 2 } }),
    /comment/,
  ],
  'a comment that is announced only': [
    hostileZip({ entries: [policy], end: { commentBytes: 2 } }),
    /comment/,
  ],
  'an archive in the comment': [
    hostileZip({
      entries: [policy],
      suffix: packageOf(),
      end: { commentBytes: packageOf().length },
    }),
    /central directory/,
  ],
  'several disks': [hostileZip({ entries: [policy], end: { disk: 1 } }), /several disks/],
  'a directory on another disk': [
    hostileZip({ entries: [policy], end: { directoryDisk: 1 } }),
    /several disks/,
  ],
  'fewer entries than the directory has': [
    hostileZip({ entries: [policy, metadata], end: { count: 1, countHere: 1 } }),
    /hides data/,
  ],
  'more entries than the directory has': [
    hostileZip({ entries: [policy], end: { count: 2, countHere: 2 } }),
    /damaged/,
  ],
  'two counts of entries': [hostileZip({ entries: [policy], end: { countHere: 2 } }), /two counts/],
  '65 entries': [
    packageOf(
      ...Array.from({ length: 64 }, (_, at) => ({ name: `scenarios/${at}.yaml`, content: '1' })),
    ),
    /more than 64 entries/,
  ],
  '65 535 announced entries': [
    hostileZip({ entries: [policy], end: { count: 0xffff, countHere: 0xffff } }),
    /more than 64 entries/,
  ],
  'a directory that starts elsewhere': [
    hostileZip({ entries: [policy], end: { directoryStart: 0 } }),
    /central directory/,
  ],
  'a directory beyond the file': [
    hostileZip({ entries: [policy], end: { directoryStart: 0xffffffff, directoryBytes: 0 } }),
    /central directory/,
  ],

  // ZIP64.
  'a ZIP64 extra field': [
    packageOf({ ...metadata, both: { extra: extraField(1, Buffer.alloc(16)) } }),
    /ZIP64/,
  ],
  'a ZIP64 extra field in the local header': [
    packageOf({ ...metadata, local: { extra: extraField(1, Buffer.alloc(16)) } }),
    /ZIP64/,
  ],
  'sizes in a ZIP64 extra field': [
    packageOf({
      ...metadata,
      both: { sizeBytes: 0xffffffff, extra: extraField(1, u32s(8, 0)) },
    }),
    /ZIP64/,
  ],
  'sizes for ZIP64 without its field': [
    packageOf({ ...metadata, both: { sizeBytes: 0xffffffff, packedBytes: 0xffffffff } }),
    /damaged|stray data/,
  ],
  'a ZIP64 locator': [
    hostileZip({
      entries: [policy],
      afterDirectory: u32s(0x07064b50, 0, 0, 0, 1),
      end: { directoryBytes: 46 + 11 + 20 },
    }),
    /ZIP64/,
  ],

  // No ZIP at all.
  nothing: [Buffer.alloc(0), /not a ZIP/],
  '21 bytes': [Buffer.alloc(21), /not a ZIP/],
  YAML: [Buffer.from('id: a\nversion: 1.0.0\n# padding padding'), /not a ZIP/],
  'half a ZIP': [packageOf().subarray(0, -10), /not a ZIP/],
  'the second half of a ZIP': [packageOf().subarray(20), /central directory/],
  gzip: [Buffer.from('1f8b0800000000000003030000000000000000000000', 'hex'), /not a ZIP/],
};

/** A stored entry whose content is itself an entry, listed too. */
function nested(): Uint8Array {
  const inner = hostileZip({ entries: [{ name: 'schema.json', content: '{}' }] });
  const local = inner.subarray(0, 30 + 11 + 2);
  const outer = { name: 'metadata.json', content: local };
  const innerStart = packageOf().length - 22 - 46 - 11 + 30 + 13;
  return packageOf(outer, {
    name: 'schema.json',
    content: '{}',
    central: { offset: innerStart },
  });
}

describe('readPackage refuses', () => {
  it.each(Object.entries(attacks))('%s', async (_name, [zip, detail]) => {
    const refusal = await refusalOf(() => readPackage(zip));
    expect(refusal.code).toBe('invalid_package');
    expect(refusal.details.map((finding) => finding.detail).join('\n')).toMatch(detail);
    expect(refusal.message).toMatch(/^The package is refused\. /);
  });

  it('none of it without the lie', async () => {
    const zip = packageOf(metadata, { ...streamed, name: 'schema.json' }, { name: 'scenarios/' });
    expect((await readPackage(zip)).entries).toHaveLength(3);
  });

  it('several entries at once, each by a name that is safe to show', async () => {
    const zip = packageOf({ name: 'a\u001b[2J' }, { name: '../x', both: { flags: 1 } });
    const { details } = await refusalOf(() => readPackage(zip));
    expect(details.map(({ pointer }) => pointer)).toEqual(['a?[2J', '../x', '../x']);
  });

  it('a long name by its beginning, and no more than 20 findings', async () => {
    const entries = Array.from({ length: 30 }, () => ({ name: 'x'.repeat(60_000) }));
    const { details, message } = await refusalOf(() => readPackage(packageOf(...entries)));
    expect(details).toHaveLength(20);
    expect(JSON.stringify(details).length + message.length).toBeLessThan(10_000);
  });
});
