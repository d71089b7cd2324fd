import { type Entry, fromBufferPromise, type LocalFileHeader } from 'yauzl';
import { refusePackage } from './refuse-package.ts';
import type { ZipFrame } from './zip-frame.ts';

/** An entry as its two headers describe it. */
export interface ZipHeaders {
  readonly central: Entry;
  readonly local: LocalFileHeader;
  /** The disk that the entry is said to start on, which `yauzl` skips. */
  readonly disk: number;
}

/**
 * All headers of a ZIP, in the order of its central directory, which they fill exactly.
 * Errors: `Unprocessable` where `yauzl` finds no header or half of one.
 */
export async function readZipHeaders(bytes: Buffer, frame: ZipFrame): Promise<ZipHeaders[]> {
  const headers: ZipHeaders[] = [];
  let at = frame.directoryStart;
  try {
    // Names are checked as bytes, sizes against what is really inflated.
    const options = { decodeStrings: false, validateEntrySizes: false };
    const zip = await fromBufferPromise(bytes, options);
    for await (const central of zip.eachEntry()) {
      const local = await zip.readLocalFileHeaderPromise(central);
      headers.push({ central, local, disk: bytes.readUInt16LE(at + 34) });
      at += 46 + central.fileNameLength + central.extraFieldLength + central.fileCommentLength;
    }
  } catch (error) {
    const what = error instanceof Error ? error.message : String(error);
    throw refusePackage({ pointer: '', detail: `The ZIP is damaged (${what}); pack it again.` });
  }
  if (at !== frame.directoryEnd) {
    const detail = 'The ZIP hides data behind its central directory; pack it again.';
    throw refusePackage({ pointer: '', detail });
  }
  return headers;
}
