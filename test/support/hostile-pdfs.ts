import { zipSync } from 'fflate';
import { makePdf } from './make-pdf.ts';

const MiB = 1024 * 1024;
const sound = makePdf();
const text = sound.toString('latin1');

/** Files that are all to be refused as claims, each for another reason, under whatever name. */
export const hostilePdfs: Readonly<Record<string, Uint8Array>> = {
  'a text': Buffer.from('I want my money.\n'),
  'a text with a header': Buffer.from('%PDF-1.7\nI want my money.\n'),
  'a text with a header and an end': Buffer.from('%PDF-1.7\nstartxref\n0\n%%EOF\n'),
  zeros: new Uint8Array(1000),
  'a page of HTML before it': bytesOf(`<script>alert(1)</script>${text}`),
  'a byte order mark before it': bytesOf(`\u00ef\u00bb\u00bf${text}`),
  'a version that there is not': makePdf({ version: '3.0' }),
  'a ZIP behind it': Buffer.concat([sound, zipSync({ 'run.exe': new Uint8Array(100) })]),
  'a page of HTML behind it': bytesOf(`${text}<script>alert(1)</script>`),
  'half of it': sound.subarray(0, sound.byteLength / 2),
  'all but its last line': bytesOf(text.slice(0, text.lastIndexOf('%%EOF'))),
  'line ends that somebody changed': bytesOf(text.replaceAll('\n', '\r\n')),
  'no startxref': bytesOf(text.replace('startxref', 'startxrex')),
  'a table beyond the end': startingAt('9999999999'),
  'a table behind it': startingAt(String(sound.byteLength)),
  'a table that is an object': startingAt(String(text.indexOf('1 0 obj'))),
  'a table that is its own end': startingAt(String(text.lastIndexOf('startxref'))),
  'a table with an entry too few': bytesOf(text.replace(/xref\n0 7/, 'xref\n0 8')),
  'a table with an entry too many': bytesOf(text.replace(/xref\n0 7/, 'xref\n0 6')),
  'no trailer': bytesOf(text.replace('trailer', 'tralier')),
  'no root': bytesOf(text.replace('/Root', '/Toor')),
  'a root that is no object': bytesOf(text.replace('/Root 1 0 R', '/Root 1 0 X')),
  'a root twice': makePdf({ trailer: '/Root 3 0 R' }),
  'a root twice, once in other letters': makePdf({ trailer: '/#52oot 3 0 R' }),
  'a trailer that does not end': bytesOf(text.replace(/>>\nstartxref/, '\nstartxref')),
  'a stream that is no table': makePdf({ crossReference: 'stream', trailer: '/Type /ObjStm' }),
  encryption: makePdf({ trailer: '/Encrypt 5 0 R' }),
  'encryption in other letters': makePdf({ trailer: '/#45#6ecrypt << /Filter /Standard >>' }),
  'encryption and a stream': makePdf({ crossReference: 'stream', trailer: '/Encrypt 5 0 R' }),
  'a program': makePdf({ objects: ['<< /S /Launch /F (cmd.exe) >>'] }),
  'a program in other letters': makePdf({ objects: ['<< /S /#4caunc#68/F (cmd.exe) >>'] }),
  'a trailer of brackets': makePdf({ trailer: `/X ${'['.repeat(MiB)}` }),
  'a trailer of keys': makePdf({
    trailer: Array.from({ length: 100_000 }, (_, i) => `/${i} 1`).join(' '),
  }),
  'a trailer of parentheses': makePdf({ trailer: `/X ${'('.repeat(MiB)}` }),
};

function startingAt(offset: string): Uint8Array {
  return bytesOf(text.replace(/startxref\n\d+/, `startxref\n${offset}`));
}

function bytesOf(latin1: string): Uint8Array {
  return Buffer.from(latin1, 'latin1');
}
