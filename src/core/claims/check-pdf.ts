import type { ErrorDetail } from '../errors/app-error.ts';
import { type PdfDictionary, readDictionary } from './pdf-dictionary.ts';
import { PdfTokens } from './pdf-tokens.ts';

const header = /^%PDF-(?:1\.[0-7]|2\.0)[\0\t\n\f\r ]/;
const ending = /startxref[\0\t\n\f\r ]+(\d{1,10})[\0\t\n\f\r ]+%%EOF$/;
const endingBytes = 2048;
/** The name of the action that starts a program (12.6.4.6), however it is spelt. */
const launch =
  /\/(?:L|#4[Cc])(?:a|#61)(?:u|#75)(?:n|#6[Ee])(?:c|#63)(?:h|#68)(?![^\0\t\n\f\r ()<>[\]{}/%])/;

/**
 * Whether the bytes are a PDF that a reviewer can read, by what they are: no name and no media type
 * is asked. Empty when they are; else what is wrong, each by its place. Sections are of ISO 32000-2.
 *
 * Checked: the header at the very first byte (7.5.2), since what stands before it could make the
 * file something else to another reader; `%%EOF`, with white space behind it at the most, and
 * `startxref` before it (7.5.5); that this leads to a cross-reference table (7.5.4) or stream
 * (7.5.8) within the file, whose trailer names the root of the document; that it is not encrypted,
 * which no reviewer without the password could read; and that no plain object starts a program.
 *
 * Not checked: whether objects are where the table says, pages, fonts, pictures; earlier revisions;
 * and anything that compressed streams hold, so that a script or an attached file may be in it.
 * Whoever opens a file that others sent must expect that.
 *
 * Time and memory are linear in the file: 15 ms for a PDF of 16 MiB, half a second for the worst that
 * was found. Never throws.
 */
export function checkPdf(bytes: Uint8Array): readonly ErrorDetail[] {
  const findings: ErrorDetail[] = [];
  if (!header.test(latin1(bytes.subarray(0, 9)))) {
    findings.push({ pointer: 'byte:0', detail: 'does not begin with %PDF-; send a PDF file' });
  }
  const tail = latin1(bytes.subarray(-endingBytes)).replace(/[\0\t\n\f\r ]+$/, '');
  const startxref = ending.exec(tail);
  if (startxref === null) {
    const detail = tail.endsWith('%%EOF')
      ? 'has no startxref before %%EOF; save the file anew'
      : 'does not end with %%EOF: it was cut off, or something follows; send the whole file alone';
    findings.push({ pointer: `byte:${bytes.byteLength}`, detail });
  } else {
    const offset = Number(startxref[1]);
    const detail = trailerProblem(bytes, offset);
    if (detail !== undefined) findings.push({ pointer: `byte:${offset}`, detail });
  }
  // Of all bytes, whatever they seem to be a part of: no damage hides it.
  const program = latin1(bytes).search(launch);
  if (program !== -1) {
    findings.push({ pointer: `byte:${program}`, detail: 'starts a program; remove the action' });
  }
  return findings;
}

function trailerProblem(bytes: Uint8Array, offset: number): string | undefined {
  const tokens = new PdfTokens(bytes, offset);
  const first = tokens.next();
  let trailer: PdfDictionary | null = null;
  if (first.kind === 'word' && first.text === 'xref') trailer = afterTable(tokens);
  else if (first.kind === 'integer') trailer = ofStream(tokens);
  if (trailer === null) {
    return 'is where startxref points, and is no cross-reference table; save the file anew';
  }
  const encrypt = trailer.get('Encrypt');
  if (encrypt !== undefined && encrypt.kind !== 'null') {
    return 'is encrypted; remove the password, then send it again';
  }
  const root = trailer.get('Root');
  if (root?.kind !== 'reference' || root.object === 0) {
    return 'names no root of the document; save the file anew';
  }
  return undefined;
}

/** The sections of a table, each `first count` and as many entries; then its trailer. */
function afterTable(tokens: PdfTokens): PdfDictionary | null {
  let due = 0;
  for (;;) {
    const first = tokens.next();
    if (first.kind === 'word' && first.text === 'trailer') {
      return due === 0 && tokens.next().kind === '<<' ? readDictionary(tokens) : null;
    }
    const second = tokens.next();
    if (first.kind !== 'integer' || second.kind !== 'integer') return null;
    const { at } = tokens;
    const type = tokens.next();
    if (type.kind === 'word' && (type.text === 'n' || type.text === 'f')) {
      if (due === 0) return null;
      due -= 1;
    } else {
      if (due > 0) return null;
      due = second.value;
      tokens.at = at;
    }
  }
}

/** `12 0 obj <<…>> stream`, of which the number was just read. */
function ofStream(tokens: PdfTokens): PdfDictionary | null {
  if (tokens.next().kind !== 'integer' || !isWord(tokens, 'obj')) return null;
  if (tokens.next().kind !== '<<') return null;
  const dictionary = readDictionary(tokens);
  const type = dictionary?.get('Type');
  const isIt = type?.kind === 'name' && type.text === 'XRef' && isWord(tokens, 'stream');
  return isIt ? dictionary : null;
}

function isWord(tokens: PdfTokens, text: string): boolean {
  const token = tokens.next();
  return token.kind === 'word' && token.text === text;
}

function latin1({ buffer, byteOffset, byteLength }: Uint8Array): string {
  return Buffer.from(buffer, byteOffset, byteLength).toString('latin1');
}
