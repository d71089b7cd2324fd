import type { ErrorDetail } from '../errors/app-error.ts';
import { foldName, printableName } from './entry-name.ts';
import { headerProblems } from './header-problems.ts';
import { refusePackage } from './refuse-package.ts';
import { readZipFrame } from './zip-frame.ts';
import { readZipHeaders, type ZipHeaders } from './zip-headers.ts';
import { deflated, stored, type ZipMember } from './zip-member.ts';
import { tilingProblem } from './zip-tiling.ts';

/**
 * The entries of a ZIP, in the order of its central directory. Each byte belongs to exactly one
 * entry or to the directory, and both headers of an entry agree: every reader of these bytes sees
 * the same entries. Nothing is inflated yet. Errors: `Unprocessable`, with all findings about
 * names and headers at once.
 */
export async function readZipDirectory(bytes: Uint8Array): Promise<ZipMember[]> {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const frame = readZipFrame(buffer);
  const headers = await readZipHeaders(buffer, frame);
  const findings = [...headers.flatMap(findingsOf), ...repetitions(headers)];
  if (findings.length > 0) throw refusePackage(...findings);
  const problem = tilingProblem(buffer, headers, frame.directoryStart);
  if (problem !== undefined) throw refusePackage(problem);
  return headers.map((header) => memberOf(buffer, header));
}

function findingsOf(headers: ZipHeaders): ErrorDetail[] {
  const pointer = printableName(headers.central.fileNameRaw);
  return headerProblems(headers).map((detail) => ({ pointer, detail }));
}

function repetitions(headers: readonly ZipHeaders[]): ErrorDetail[] {
  const known = new Set<string>();
  const findings: ErrorDetail[] = [];
  for (const { central } of headers) {
    const name = foldName(central.fileNameRaw.toString());
    const pointer = printableName(central.fileNameRaw);
    if (known.has(name)) {
      findings.push({ pointer, detail: 'is there twice, or differs by case only; keep one' });
    }
    known.add(name);
  }
  return findings;
}

function memberOf(bytes: Buffer, { central, local }: ZipHeaders): ZipMember {
  const start = local.fileDataStart;
  return {
    path: central.fileNameRaw.toString(),
    method: central.compressionMethod === stored ? stored : deflated,
    crc32: central.crc32,
    sizeBytes: central.uncompressedSize,
    packed: bytes.subarray(start, start + central.compressedSize),
  };
}
