import { packageLimits } from './package-limits.ts';
import { refusePackage } from './refuse-package.ts';

/** Where the parts of a ZIP lie: entries from 0, then the central directory, then its end record. */
export interface ZipFrame {
  readonly entryCount: number;
  readonly directoryStart: number;
  readonly directoryEnd: number;
}

const endRecordBytes = 22;
const endRecordSignature = 0x06054b50;
const zip64LocatorBytes = 20;
const zip64LocatorSignature = 0x07064b50;

/**
 * The frame of a ZIP that fills `bytes` exactly: no comment, nothing behind it, one disk, no
 * ZIP64. Others search backwards for an end record; here it is the last 22 bytes or the package
 * is refused, so that no two readers can see two archives. Errors: `Unprocessable`.
 */
export function readZipFrame(bytes: Buffer): ZipFrame {
  const end = bytes.length - endRecordBytes;
  if (end < 0 || bytes.readUInt32LE(end) !== endRecordSignature) {
    throw refuse('is not a ZIP, is cut off, or has a comment or data behind its end');
  }
  const disks = bytes.readUInt16LE(end + 4) + bytes.readUInt16LE(end + 6);
  if (disks !== 0) throw refuse('is split over several disks');
  if (bytes.readUInt16LE(end + 20) !== 0) throw refuse('has a comment');
  const locator = end - zip64LocatorBytes;
  if (locator >= 0 && bytes.readUInt32LE(locator) === zip64LocatorSignature) {
    throw refuse('is a ZIP64 archive');
  }
  const entryCount = bytes.readUInt16LE(end + 10);
  if (bytes.readUInt16LE(end + 8) !== entryCount) throw refuse('has two counts of its entries');
  if (entryCount > packageLimits.maxEntries) {
    throw refuse(`has more than ${packageLimits.maxEntries} entries`);
  }
  const directoryStart = bytes.readUInt32LE(end + 16);
  if (directoryStart + bytes.readUInt32LE(end + 12) !== end) {
    throw refuse('has data before, behind or within its central directory');
  }
  return { entryCount, directoryStart, directoryEnd: end };
}

function refuse(what: string): Error {
  return refusePackage({
    pointer: '',
    detail: `The file ${what}; pack it again with a plain zip.`,
  });
}
