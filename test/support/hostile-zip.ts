import { crc32, deflateRawSync } from 'node:zlib';

/** The fields of a local or central header that may lie. */
export interface HeaderFields {
  signature: number;
  madeBy: number;
  needed: number;
  flags: number;
  method: number;
  time: number;
  crc: number;
  packedBytes: number;
  sizeBytes: number;
  name: string | Uint8Array;
  extra: Uint8Array;
  comment: Uint8Array;
  disk: number;
  attributes: number;
  offset: number;
}

export interface HostileEntry {
  name: string | Uint8Array;
  content?: string | Uint8Array;
  /** 8 deflates, anything else stores. */
  method?: number;
  /** In place of the compressed content. */
  packed?: Uint8Array;
  /** In both headers; `local` and `central` go on top. */
  both?: Partial<HeaderFields> | undefined;
  local?: Partial<HeaderFields> | undefined;
  central?: Partial<HeaderFields> | undefined;
  /** Sets flag 3 and writes zeros into the local header. */
  descriptor?: 'signed' | 'unsigned' | Uint8Array | undefined;
  /** Bytes of no entry, before this one. */
  gap?: Uint8Array;
  /** Leave the entry out of the central directory. */
  unlisted?: boolean;
}

export interface HostileZip {
  entries: readonly HostileEntry[];
  beforeDirectory?: Uint8Array;
  afterDirectory?: Uint8Array;
  suffix?: Uint8Array;
  end?: Partial<{
    disk: number;
    directoryDisk: number;
    countHere: number;
    count: number;
    directoryBytes: number;
    directoryStart: number;
    commentBytes: number;
  }>;
}

const descriptorFlag = 8;

/** Writes a ZIP as told, true or not. Without any lie it is a sound ZIP. */
export function hostileZip(zip: HostileZip): Buffer {
  const parts: Uint8Array[] = [];
  const directory: Uint8Array[] = [];
  let at = 0;
  const push = (...bytes: Uint8Array[]) => {
    for (const part of bytes) {
      parts.push(part);
      at += part.length;
    }
  };
  for (const entry of zip.entries) {
    push(entry.gap ?? Buffer.alloc(0));
    const { central, bytes } = writeEntry(entry, at);
    push(...bytes);
    if (entry.unlisted !== true) directory.push(central);
  }
  push(zip.beforeDirectory ?? Buffer.alloc(0));
  const directoryStart = at;
  push(...directory);
  const directoryBytes = at - directoryStart;
  push(zip.afterDirectory ?? Buffer.alloc(0));
  const count = directory.length;
  const fields = { count, countHere: count, directoryStart, directoryBytes, ...zip.end };
  push(writeEnd(fields), zip.suffix ?? Buffer.alloc(0));
  return Buffer.concat(parts);
}

function writeEntry(entry: HostileEntry, offset: number): { central: Buffer; bytes: Buffer[] } {
  const content = Buffer.from(entry.content ?? '');
  const method = entry.method ?? 0;
  const packed = Buffer.from(entry.packed ?? (method === 8 ? deflateRawSync(content) : content));
  const truth: HeaderFields = {
    signature: 0,
    // Unix, ZIP 2.0.
    madeBy: 0x0314,
    needed: 20,
    flags: 0,
    method,
    // 1980-01-01 00:00.
    time: 0x0021_0000,
    crc: crc32(content),
    packedBytes: packed.length,
    sizeBytes: content.length,
    name: entry.name,
    extra: Buffer.alloc(0),
    comment: Buffer.alloc(0),
    disk: 0,
    attributes: 0,
    offset,
    ...entry.both,
  };
  const streamed = entry.descriptor !== undefined;
  if (streamed) truth.flags |= descriptorFlag;
  const unknown = streamed ? { crc: 0, packedBytes: 0, sizeBytes: 0 } : {};
  const local = writeLocal({ ...truth, signature: 0x04034b50, ...unknown, ...entry.local });
  const listed = { ...truth, signature: 0x02014b50, ...entry.central };
  const tail = streamed ? [writeDescriptor(entry.descriptor, truth)] : [];
  return { central: writeCentral(listed), bytes: [local, packed, ...tail] };
}

function writeDescriptor(descriptor: HostileEntry['descriptor'], fields: HeaderFields): Buffer {
  if (typeof descriptor === 'object') return Buffer.from(descriptor);
  const { crc, packedBytes, sizeBytes } = fields;
  const signature = descriptor === 'signed' ? [u32(0x08074b50)] : [];
  return Buffer.concat([...signature, u32(crc), u32(packedBytes), u32(sizeBytes)]);
}

function writeLocal(fields: HeaderFields): Buffer {
  const name = Buffer.from(fields.name);
  return Buffer.concat([
    u32(fields.signature),
    ...common(fields),
    u16(name.length),
    u16(fields.extra.length),
    name,
    fields.extra,
  ]);
}

function writeCentral(fields: HeaderFields): Buffer {
  const name = Buffer.from(fields.name);
  return Buffer.concat([
    u32(fields.signature),
    u16(fields.madeBy),
    ...common(fields),
    u16(name.length),
    u16(fields.extra.length),
    u16(fields.comment.length),
    u16(fields.disk),
    u16(0),
    u32(fields.attributes),
    u32(fields.offset),
    name,
    fields.extra,
    fields.comment,
  ]);
}

function common(fields: HeaderFields): Buffer[] {
  return [
    u16(fields.needed),
    u16(fields.flags),
    u16(fields.method),
    u32(fields.time),
    u32(fields.crc),
    u32(fields.packedBytes),
    u32(fields.sizeBytes),
  ];
}

function writeEnd(fields: NonNullable<HostileZip['end']>): Buffer {
  const { disk = 0, directoryDisk = 0, countHere = 0, count = 0 } = fields;
  const { directoryBytes = 0, directoryStart = 0, commentBytes = 0 } = fields;
  return Buffer.concat([
    u32(0x06054b50),
    u16(disk),
    u16(directoryDisk),
    u16(countHere),
    u16(count),
    u32(directoryBytes),
    u32(directoryStart),
    u16(commentBytes),
  ]);
}

function u16(value: number): Buffer {
  return Buffer.from([value & 0xff, (value >>> 8) & 0xff]);
}

function u32(value: number): Buffer {
  return Buffer.from([0, 8, 16, 24].map((shift) => (value >>> shift) & 0xff));
}

/** An extra field of a header. */
export function extraField(id: number, data: Uint8Array = Buffer.alloc(0)): Buffer {
  return Buffer.concat([u16(id), u16(data.length), data]);
}
