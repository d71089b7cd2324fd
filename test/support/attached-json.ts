/** The one JSON attachment of a mail as it came over the wire. */
export function attachedJson(raw: string): string {
  const boundary = /boundary="([^"]+)"/.exec(raw)?.[1] ?? '';
  const parts = raw.split(`--${boundary}`).slice(1, -1);
  const attached = parts.filter((part) => /^content-type: application\/json/im.test(part));
  if (attached.length !== 1) throw new Error(`${attached.length} JSON attachments`);
  const [head = '', ...rest] = (attached[0] ?? '').split('\r\n\r\n');
  if (!/^content-disposition: attachment/im.test(head)) throw new Error('not attached');
  if (!/^content-transfer-encoding: base64/im.test(head)) throw new Error('not in base64');
  return Buffer.from(rest.join(''), 'base64').toString();
}
