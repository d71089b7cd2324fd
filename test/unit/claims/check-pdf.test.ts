import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkPdf } from '../../../src/core/claims/check-pdf.ts';
import { hostilePdfs } from '../../support/hostile-pdfs.ts';
import { makePdf, type PdfOptions } from '../../support/make-pdf.ts';

const MiB = 1024 * 1024;
const forms = ['table', 'stream'] as const;

/** The places and words of what is found. */
function found(bytes: Uint8Array): string[] {
  return checkPdf(bytes).map(({ pointer, detail }) => `${pointer} ${detail}`);
}

describe('checkPdf', () => {
  const sound: readonly (readonly [name: string, options: PdfOptions])[] = [
    ['a table', {}],
    ['a stream', { crossReference: 'stream' }],
    ['6 MiB', { sizeBytes: 6 * MiB }],
    ['PDF 1.0', { version: '1.0' }],
    ['PDF 2.0', { version: '2.0' }],
    ['a note that it is not encrypted', { trailer: '/Encrypt null' }],
    [
      'an id and a date',
      { trailer: '/ID [<00ff> (a \\) b (c))] /Info << /D (x) >> % /Encrypt 1\n' },
    ],
    ['a script, as forms have them', { objects: ['<< /S /JavaScript /JS (AFDate\\(\\)) >>'] }],
    ['a name that begins like that of programs', { objects: ['<< /LaunchPad 1 /Launched 2 >>'] }],
  ];
  it.each(sound)('takes a PDF with %s', (_, options) => {
    expect(found(makePdf(options))).toEqual([]);
  });

  it.each([
    ['with line ends of any kind behind it', (text: string) => `${text}\r\n\0 \t`],
    ['with none', (text: string) => text.trimEnd()],
    ['with entries that have no blank at their end', (text: string) => shorter(text)],
    ['that was changed, and so has a second table', (text: string) => revised(text)],
  ])('takes one %s', (_, change) => {
    expect(found(Buffer.from(change(makePdf().toString('latin1')), 'latin1'))).toEqual([]);
  });

  it.each(Object.entries(hostilePdfs))('refuses %s', (_, bytes) => {
    expect(found(bytes)).not.toEqual([]);
  });

  it('says where and what is wrong', () => {
    const text = hostilePdfs['a text']!;
    expect(found(text)).toEqual([
      'byte:0 does not begin with %PDF-; send a PDF file',
      `byte:${text.byteLength} does not end with %%EOF: it was cut off, or something follows; ` +
        'send the whole file alone',
    ]);
    for (const crossReference of forms) {
      const encrypted = makePdf({ crossReference, trailer: '/Encrypt 5 0 R' });
      const start = /startxref\n(\d+)/.exec(encrypted.toString('latin1'))?.[1];
      expect(found(encrypted)).toEqual([
        `byte:${start} is encrypted; remove the password, then send it again`,
      ]);
    }
    const program = hostilePdfs['a program']!;
    const at = Buffer.from(program).indexOf('/Launch');
    expect(found(program)).toEqual([`byte:${at} starts a program; remove the action`]);
  });

  it('refuses every beginning of a PDF, and every one that something follows', () => {
    for (const crossReference of forms) {
      const pdf = makePdf({ crossReference });
      const whole = pdf.toString('latin1').trimEnd().length;
      for (let end = 0; end < whole; end++) {
        expect(found(pdf.subarray(0, end)), `${end} bytes`).not.toEqual([]);
      }
      for (let byte = 0; byte < 256; byte++) {
        const isSpace = [0, 9, 10, 12, 13, 32].includes(byte);
        const followed = Buffer.concat([pdf, Uint8Array.of(byte)]);
        expect(found(followed).length === 0, `byte ${byte}`).toBe(isSpace);
      }
    }
  });

  it('finds encryption and programs whatever stands around them', () => {
    const value = fc.constantFrom(
      '1',
      '-2.5',
      '/N',
      '(a\\)(b)c)',
      '<0f>',
      '[1 0 R [/A]]',
      '<</B 1 0 R>>',
      'true',
      '7 0 R',
      '%c\n1',
    );
    const entries = fc.array(value, { maxLength: 6 });
    const spelt = (name: string) =>
      fc
        .array(fc.boolean(), { minLength: name.length, maxLength: name.length })
        .map(
          (escapes) =>
            `/${Array.from(name, (char, i) => (escapes[i] ? hex(char) : char)).join('')}`,
        );
    const property = fc.property(
      fc.constantFrom(...forms),
      entries,
      entries,
      spelt('Encrypt'),
      spelt('Launch'),
      (crossReference, before, after, encrypt, launch) => {
        const listed = (values: readonly string[], prefix: string) =>
          values.map((each, i) => `/${prefix}${i} ${each}`).join(' ');
        const plain = `${listed(before, 'b')} ${listed(after, 'a')}`;
        expect(found(makePdf({ crossReference, trailer: plain }))).toEqual([]);
        const trailer = `${listed(before, 'b')} ${encrypt} 5 0 R ${listed(after, 'a')}`;
        expect(found(makePdf({ crossReference, trailer }))).toHaveLength(1);
        expect(found(makePdf({ crossReference, objects: [`<</S${launch}>>`] }))).toHaveLength(1);
      },
    );
    fc.assert(property, { numRuns: 100 });
  });

  it('ends, and answers places within the file, whatever the bytes are', () => {
    const pieces = [
      'xref',
      'trailer',
      '<<',
      '>>',
      '[',
      '(',
      ')',
      '<',
      '/Root 1 0 R',
      '/',
      '#',
      '%',
      '0 1',
      '1 0 obj',
      'stream',
      'startxref',
      '%%EOF',
      '\n',
      '\\',
      '/Launch',
      '/Type/XRef',
    ];
    const soup = fc.array(
      fc.oneof(
        fc.constantFrom(...pieces),
        fc.uint8Array({ maxLength: 4 }).map((bytes) => Buffer.from(bytes).toString('latin1')),
      ),
      { maxLength: 60 },
    );
    const property = fc.property(soup, fc.nat(400), (parts, start) => {
      const bytes = Buffer.from(
        `%PDF-1.7\n${parts.join('')}\nstartxref\n${start}\n%%EOF`,
        'latin1',
      );
      for (const { pointer } of checkPdf(bytes)) {
        expect(pointer).toMatch(/^byte:\d+$/);
      }
    });
    fc.assert(property, { numRuns: 2000 });
  });

  it('finds encryption though a byte elsewhere was changed', () => {
    const files = forms.map((crossReference) => {
      const pdf = makePdf({ crossReference, trailer: '/Encrypt 5 0 R' });
      return { pdf, key: pdf.lastIndexOf('Encrypt') };
    });
    const change = fc.tuple(fc.constantFrom(...files), fc.nat(500), fc.nat(255));
    const property = fc.property(change, ([{ pdf, key }, fromEnd, byte]) => {
      const at = pdf.byteLength - 1 - fromEnd;
      fc.pre(at < key || at >= key + 'Encrypt'.length);
      const bytes = Buffer.from(pdf);
      bytes[at] = byte;
      expect(found(bytes)).not.toEqual([]);
    });
    fc.assert(property, { numRuns: 5000 });
  });

  it.each([
    ['slashes', Buffer.alloc(16 * MiB, '/')],
    ['numbers', Buffer.alloc(16 * MiB, '0000000000 00000 n\r\n')],
    ['open brackets', Buffer.alloc(16 * MiB, '[')],
    ['open strings', Buffer.alloc(16 * MiB, '(')],
    ['comments', Buffer.alloc(16 * MiB, '%\n')],
    ['names', Buffer.alloc(16 * MiB, '/a 1 ')],
    ['one long name', Buffer.alloc(16 * MiB, 'a')],
    ['escapes', Buffer.alloc(16 * MiB, '/#4c#61')],
  ])('takes time linear in the file, also for 16 MiB of %s', (_, filling) => {
    const head = '%PDF-1.7\n';
    const opens = filling[0] === 0x30 ? 'xref\n0 9999999\n' : 'xref\ntrailer\n<< /X ';
    const tail = `\nstartxref\n${head.length}\n%%EOF`;
    const bytes = Buffer.from(filling);
    bytes.write(head + opens, 0);
    bytes.write(tail, bytes.byteLength - tail.length);
    const startedMs = performance.now();
    expect(found(bytes)).toHaveLength(1);
    expect(performance.now() - startedMs).toBeLessThan(5000);
  });
});

function hex(char: string): string {
  return `#${char.charCodeAt(0).toString(16)}`;
}

/** Entries of 19 bytes, as some programs write them; the table comes last, so nothing moves. */
function shorter(text: string): string {
  return text.replaceAll(/ (\d{5} [nf]) \n/g, ' $1\n');
}

/** ISO 32000-2, 7.5.6: an update is appended, with a table of its own. */
function revised(text: string): string {
  const start = /startxref\n(\d+)/.exec(text)?.[1];
  return (
    `${text}3 0 obj\n<< /Type /Page /Parent 2 0 R >>\nendobj\n` +
    `xref\n0 0\n3 1\n${String(text.length).padStart(10, '0')} 00000 n \n` +
    `trailer\n<< /Size 7 /Root 1 0 R /Prev ${start} >>\n` +
    `startxref\n${text.length + '3 0 obj\n<< /Type /Page /Parent 2 0 R >>\nendobj\n'.length}\n%%EOF\n`
  );
}
