import { crc32 } from 'node:zlib';
import { inflateBounded } from './inflate-bounded.ts';
import { refusePackage } from './refuse-package.ts';

export const stored = 0;
export const deflated = 8;

/** One entry of a ZIP whose headers agree; its content is still unchecked. */
export interface ZipMember {
  readonly path: string;
  readonly method: typeof stored | typeof deflated;
  readonly crc32: number;
  /** As declared. `unpack` holds the content to it. */
  readonly sizeBytes: number;
  readonly packed: Uint8Array;
}

/** The content of an entry, of exactly the declared size and CRC. Errors: `Unprocessable`. */
export async function unpack(member: ZipMember): Promise<Uint8Array> {
  const bytes = member.method === stored ? member.packed : await inflate(member);
  if (bytes.byteLength !== member.sizeBytes) throw lie(member, 'its content is of another size');
  if (crc32(bytes) !== member.crc32) throw lie(member, 'its content has another CRC');
  return bytes;
}

async function inflate(member: ZipMember): Promise<Uint8Array> {
  const inflation = await inflateBounded(member.packed, member.sizeBytes);
  if (inflation.outcome === 'too-long') throw lie(member, 'its content is longer');
  if (inflation.outcome === 'broken') throw lie(member, 'its compressed content is damaged');
  if (inflation.consumedBytes !== member.packed.byteLength) {
    throw lie(member, 'bytes are hidden behind its compressed content');
  }
  return inflation.bytes;
}

function lie({ path }: ZipMember, how: string): Error {
  const detail = `is not what its header says: ${how}; pack it again`;
  return refusePackage({ pointer: path, detail });
}
