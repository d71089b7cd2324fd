import type { Entry } from 'yauzl';
import { nameProblem } from './entry-name.ts';
import { extrasProblem } from './zip-extras.ts';
import type { ZipHeaders } from './zip-headers.ts';
import { deflated, stored } from './zip-member.ts';

/** General purpose flags, APPNOTE.TXT 4.4.4. */
const flags = {
  encrypted: 0x0001 | 0x0040 | 0x2000,
  descriptor: 0x0008,
  /** How hard the deflater tried, and that the name is UTF-8. */
  harmless: 0x0006 | 0x0800,
};

/** External attributes: the low byte is DOS, the high half a Unix mode. */
const dos = { folder: 0x10, special: 0x08 | 0x40 | 0x400 };
const unix = { type: 0o170000, file: 0o100000, folder: 0o040000 };

/** The sizes follow the content, since its writer did not know them before. */
export function hasDescriptor({ generalPurposeBitFlag }: Entry): boolean {
  return (generalPurposeBitFlag & flags.descriptor) !== 0;
}

/** All that is wrong with the headers of one entry, and what to do. */
export function headerProblems(headers: ZipHeaders): string[] {
  const { central, local, disk } = headers;
  const problems = [
    nameProblem(central.fileNameRaw),
    flagsProblem(central),
    typeProblem(central),
    extrasProblem(central.extraFieldRaw) ?? extrasProblem(local.extraField),
    localProblem(headers),
    central.fileCommentLength > 0 ? 'has a comment; pack it again without' : undefined,
    disk === 0 ? undefined : 'starts on another disk; pack it again as one file',
  ];
  return problems.filter((problem) => problem !== undefined);
}

function flagsProblem(central: Entry): string | undefined {
  const { generalPurposeBitFlag: set, compressionMethod: method } = central;
  if ((set & flags.encrypted) !== 0) return 'is encrypted; pack it again without a password';
  if ((set & ~(flags.descriptor | flags.harmless)) !== 0) {
    return 'has unknown flags; pack it again with a plain zip';
  }
  if (method !== stored && method !== deflated) {
    return `is compressed by method ${method}; pack it again with deflate or uncompressed`;
  }
  if (method === stored && central.compressedSize !== central.uncompressedSize) {
    return 'is uncompressed, yet declares two sizes; pack it again';
  }
  return undefined;
}

/** A link or a device would be a file here and something else where the package is unpacked. */
function typeProblem({ externalFileAttributes, fileNameRaw }: Entry): string | undefined {
  const isFolder = fileNameRaw.at(-1) === 0x2f;
  const mode = (externalFileAttributes >>> 16) & unix.type;
  const fits = mode === 0 || mode === (isFolder ? unix.folder : unix.file);
  const special = (externalFileAttributes & dos.special) !== 0;
  const dosFolder = (externalFileAttributes & dos.folder) !== 0;
  if (fits && !special && (isFolder || !dosFolder)) return undefined;
  return 'is a link, a folder or a special file; replace it with a plain file';
}

/** Some readers believe the one header, some the other: they must say the same. */
function localProblem({ central, local }: ZipHeaders): string | undefined {
  const streamed = hasDescriptor(central);
  const agrees = (here: number, there: number) => here === there || (streamed && here === 0);
  const differing = [
    local.fileName.equals(central.fileNameRaw) ? [] : ['name'],
    local.compressionMethod === central.compressionMethod ? [] : ['method'],
    local.generalPurposeBitFlag === central.generalPurposeBitFlag ? [] : ['flags'],
    agrees(local.crc32, central.crc32) ? [] : ['CRC'],
    agrees(local.compressedSize, central.compressedSize) ? [] : ['packed size'],
    agrees(local.uncompressedSize, central.uncompressedSize) ? [] : ['size'],
  ].flat();
  if (differing.length === 0) return undefined;
  return `has another ${differing.join(', ')} in its own header than in the directory; pack it again`;
}
