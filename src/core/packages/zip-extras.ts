/** Extra fields that change what an entry is, its size or its name. */
const forbidden = new Map([
  [0x0001, 'uses ZIP64; pack it again without'],
  [0x0017, 'is encrypted; pack it again without a password'],
  [0x9901, 'is encrypted; pack it again without a password'],
  [0x6375, 'has a second comment; pack it again with a plain zip'],
  [0x7075, 'has a second name; rename it to plain ASCII'],
]);

/** What is wrong with the extra fields of a header; undefined for times, owners and the like. */
export function extrasProblem(extras: Buffer): string | undefined {
  let at = 0;
  while (at + 4 <= extras.length) {
    const problem = forbidden.get(extras.readUInt16LE(at));
    if (problem !== undefined) return problem;
    at += 4 + extras.readUInt16LE(at + 2);
  }
  return at === extras.length ? undefined : 'has broken extra fields; pack it again';
}
