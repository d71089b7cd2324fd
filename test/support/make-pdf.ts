export interface PdfOptions {
  /** What its page says: plain letters, digits and spaces. */
  readonly text?: string;
  /** How long the file is to be; else as short as it can be. */
  readonly sizeBytes?: number;
  /** A table, as of PDF 1.0 on, or a stream, as of 1.5. */
  readonly crossReference?: 'table' | 'stream';
  readonly version?: string;
  /** Written into the trailer, or the dictionary of the stream. */
  readonly trailer?: string;
  /** Objects beside those of the page: what stands between `obj` and `endobj`. */
  readonly objects?: readonly string[];
}

/** A PDF of one page that readers show without a complaint. */
export function makePdf(options: PdfOptions = {}): Buffer<ArrayBuffer> {
  const shortest = build(options, 0);
  const { sizeBytes = shortest.byteLength } = options;
  const padding = sizeBytes - shortest.byteLength;
  // The longer it is, the more digits has the offset at its end.
  for (const digits of [0, 1, 2, 3, 4, 5, 6]) {
    if (digits > padding) break;
    const pdf = build(options, padding - digits);
    if (pdf.byteLength === sizeBytes) return pdf;
  }
  throw new RangeError(`no PDF of ${sizeBytes} bytes`);
}

function build(options: PdfOptions, padding: number): Buffer<ArrayBuffer> {
  const { text = 'A claim', crossReference = 'table', version = '1.7', trailer = '' } = options;
  const content = `BT /F1 24 Tf 72 720 Td (${text}) Tj ET`;
  const objects = [
    '<< /Type /Catalog /Pages 2 0 R >>',
    '<< /Type /Pages /Kids [3 0 R] /Count 1 >>',
    '<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R' +
      ' /Resources << /Font << /F1 5 0 R >> >> >>',
    streamOf(content),
    '<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>',
    ...(options.objects ?? []),
    streamOf(' '.repeat(padding)),
  ];
  // The second line tells programs that move files that this one is binary.
  const parts = [Buffer.from(`%PDF-${version}\n%\u00e2\u00e3\u00cf\u00d3\n`, 'latin1')];
  const offsets: number[] = [];
  const write = (part: string | Buffer<ArrayBuffer>): void =>
    void parts.push(typeof part === 'string' ? Buffer.from(part, 'latin1') : part);
  const sizeNow = () => parts.reduce((sum, { byteLength }) => sum + byteLength, 0);
  objects.forEach((object, place) => {
    offsets.push(sizeNow());
    write(`${place + 1} 0 obj\n${object}\nendobj\n`);
  });
  const start = sizeNow();
  if (crossReference === 'table') write(tableOf(offsets, trailer));
  else write(crossReferenceStream(offsets, start, trailer));
  write(`startxref\n${start}\n%%EOF\n`);
  return Buffer.concat(parts);
}

/** Its length always has 10 digits, so that the file grows by what is put in. */
function streamOf(content: string, dictionary = ''): string {
  const length = String(content.length).padStart(10, '0');
  return `<< ${dictionary}/Length ${length} >>\nstream\n${content}\nendstream`;
}

/** ISO 32000-2, 7.5.4: every entry has 20 bytes. */
function tableOf(offsets: readonly number[], trailer: string): string {
  const entries = offsets.map((offset) => `${String(offset).padStart(10, '0')} 00000 n \n`);
  const size = offsets.length + 1;
  return (
    `xref\n0 ${size}\n0000000000 65535 f \n${entries.join('')}` +
    `trailer\n<< /Size ${size} /Root 1 0 R ${trailer} >>\n`
  );
}

/** ISO 32000-2, 7.5.8: type, offset in 4 bytes, generation. The last object is the stream itself. */
function crossReferenceStream(
  offsets: readonly number[],
  start: number,
  trailer: string,
): Buffer<ArrayBuffer> {
  const rows = [[0, 0, 255], ...[...offsets, start].map((offset) => [1, offset, 0])];
  const content = Buffer.concat(
    rows.map(([type = 0, offset = 0, generation = 0]) => {
      const row = Buffer.alloc(6);
      row.writeUInt8(type, 0);
      row.writeUInt32BE(offset, 1);
      row.writeUInt8(generation, 5);
      return row;
    }),
  ).toString('latin1');
  const dictionary = `/Type /XRef /Size ${rows.length} /W [1 4 1] /Root 1 0 R ${trailer} `;
  const object = `${offsets.length + 1} 0 obj\n${streamOf(content, dictionary)}\nendobj\n`;
  return Buffer.from(object, 'latin1');
}
