import type { ErrorDetail } from '../errors/app-error.ts';
import { printableName } from './entry-name.ts';
import { hasDescriptor } from './header-problems.ts';
import type { ZipHeaders } from './zip-headers.ts';

const descriptorSignature = 0x08074b50;

/**
 * Whether the entries fill the file from its first byte to the central directory, without a gap
 * and without overlap, in whatever order. What follows a streamed entry must be its descriptor.
 */
export function tilingProblem(
  bytes: Buffer,
  headers: readonly ZipHeaders[],
  directoryStart: number,
): ErrorDetail | undefined {
  const inOrder = headers.toSorted((a, b) => startOf(a) - startOf(b));
  let at = 0;
  for (const [index, header] of inOrder.entries()) {
    const pointer = printableName(header.central.fileNameRaw);
    if (startOf(header) !== at) {
      return { pointer, detail: 'lies behind a gap or over another entry; pack it again' };
    }
    const contentEnd = header.local.fileDataStart + header.central.compressedSize;
    const next = inOrder[index + 1];
    at = next === undefined ? directoryStart : startOf(next);
    if (!isTail(bytes, header, contentEnd, at)) {
      return { pointer, detail: 'is followed by stray data or overlaps the next; pack it again' };
    }
  }
  return at === directoryStart ? undefined : { pointer: '', detail: 'The ZIP has stray data.' };
}

function startOf({ central }: ZipHeaders): number {
  return central.relativeOffsetOfLocalHeader;
}

/** Nothing, or for a streamed entry its data descriptor, with or without the signature. */
function isTail(bytes: Buffer, { central }: ZipHeaders, start: number, end: number): boolean {
  if (!hasDescriptor(central)) return start === end;
  const signed = end - start === 16;
  if (!signed && end - start !== 12) return false;
  if (signed && bytes.readUInt32LE(start) !== descriptorSignature) return false;
  const at = signed ? start + 4 : start;
  return (
    bytes.readUInt32LE(at) === central.crc32 &&
    bytes.readUInt32LE(at + 4) === central.compressedSize &&
    bytes.readUInt32LE(at + 8) === central.uncompressedSize
  );
}
