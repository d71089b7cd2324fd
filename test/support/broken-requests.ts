/** What some requests need of the one who sends them. */
export interface Sender {
  /** Of a reader. */
  readonly token: string;
  /** Of an editor. */
  readonly editorToken: string;
  /** The id of a policy that exists. */
  readonly id: string;
}

export interface BrokenRequest {
  /** In parts, to be sent one after the other. */
  readonly bytes: string | Uint8Array | readonly (string | Uint8Array)[];
  readonly status: number;
  readonly code: string;
}

const end = '\r\n\r\n';
const chunk = 64 * 1024;

/** Requests that no client of ours makes, written by hand, and what each is answered with. */
export function brokenRequests(sender: Sender): Readonly<Record<string, BrokenRequest>> {
  const { token, editorToken, id } = sender;
  const head = (line: string, ...fields: readonly string[]) =>
    [`${line} HTTP/1.1`, 'Host: localhost', ...fields].join('\r\n');
  const get = (...fields: readonly string[]) =>
    head(`GET /api/policies/${id}`, `Authorization: Bearer ${token}`, ...fields);
  const publish = (...fields: readonly string[]) =>
    head(
      `POST /api/policies/${id}/publish`,
      `Authorization: Bearer ${editorToken}`,
      'Content-Type: application/yaml',
      'X-Channel: prod',
      ...fields,
    );
  const yaml = `id: ${id}\nversion: 6.6.6\n`;
  const length = `Content-Length: ${yaml.length}`;
  const chunked = 'Transfer-Encoding: chunked';
  const chunkedYaml = `${yaml.length.toString(16)}\r\n${yaml}\r\n0${end}`;
  const malformed = (bytes: BrokenRequest['bytes']) => ({
    bytes,
    status: 400,
    code: 'invalid_request',
  });
  const tooLarge = (bytes: BrokenRequest['bytes']) => ({ bytes, status: 413, code: 'too_large' });
  return {
    // Two readers that take different ones for the truth can be made to see two requests.
    'both lengths': malformed(`${publish(length, chunked)}${end}${chunkedYaml}`),
    'both lengths, the other way': malformed(`${publish(chunked, length)}${end}${chunkedYaml}`),
    'two different lengths': malformed(`${publish(length, 'Content-Length: 0')}${end}${yaml}`),
    'two equal lengths': malformed(`${publish(length, length)}${end}${yaml}`),
    'a list of lengths': malformed(`${publish(`${length}, ${yaml.length}`)}${end}${yaml}`),
    'a length with a sign': malformed(`${publish(`Content-Length: +${yaml.length}`)}${end}${yaml}`),
    'a negative length': malformed(`${publish('Content-Length: -1')}${end}${yaml}`),
    'a hexadecimal length': malformed(`${publish('Content-Length: 0x10')}${end}${yaml}`),
    'a length beyond numbers': malformed(`${publish(`Content-Length: ${'9'.repeat(40)}`)}${end}`),
    'a coding that is nearly chunked': malformed(
      `${publish('Transfer-Encoding: xchunked')}${end}${chunkedYaml}`,
    ),
    'chunked, but not last': malformed(
      `${publish('Transfer-Encoding: chunked, identity')}${end}${chunkedYaml}`,
    ),
    'a space before the colon': malformed(`${publish(`Transfer-Encoding : chunked`)}${end}`),
    'a folded header': malformed(`${get('X-Channel: prod\r\n , dev')}${end}`),
    'a folded coding': malformed(
      `${publish('Transfer-Encoding:\r\n chunked')}${end}${chunkedYaml}`,
    ),
    'NUL in a header': malformed(`${get('X-Channel: pr\0od')}${end}`),
    'a control character in a header': malformed(`${get('X-Reason: a\x01b')}${end}`),
    'a lone CR in a header': malformed(`${get('X-Reason: a\rX-Evil: b')}${end}`),
    'a lone LF at the end of a line': malformed(get().replaceAll('\r\n', '\n') + '\n\n'),
    'a header without a name': malformed(`${get(': x')}${end}`),
    'a header without a colon': malformed(`${get('X-Channel')}${end}`),
    'no HTTP': malformed(`hello${end}`),
    TLS: malformed(Buffer.from('16030100a5010000a10303', 'hex')),
    'HTTP/2': malformed('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
    'HTTP/9': malformed(get().replace('HTTP/1.1', 'HTTP/9.9') + end),
    'an unknown method': malformed(`${head('STEAL /healthz')}${end}`),
    'a space in the target': malformed(`${head('GET /healthz /x')}${end}`),
    'bytes beyond ASCII in the target': malformed(`${head('GET /api/policies/\xe9')}${end}`),
    'a chunk that is none': malformed(`${publish(chunked)}${end}zz\r\n${yaml}\r\n0${end}`),
    'a chunk longer than it says': malformed(`${publish(chunked)}${end}2\r\n${yaml}\r\n0${end}`),
    'a chunk of negative length': malformed(`${publish(chunked)}${end}-2\r\n${yaml}\r\n0${end}`),
    'an expectation': malformed(`${get('Expect: the impossible')}${end}`),
    'two hosts of which one is none': malformed(`${head('GET /healthz', ': localhost')}${end}`),
    '100 KB of target': tooLarge(`${head(`GET /api/policies?a=${'a'.repeat(100_000)}`)}${end}`),
    '100 KB in one header': tooLarge(`${get(`X-Reason: ${'a'.repeat(100_000)}`)}${end}`),
    '3000 headers': tooLarge(
      `${get(...Array.from({ length: 3000 }, (_, i) => `X-Header-${i}: ${i}`))}${end}`,
    ),
    'a megabyte of headers, never ended': tooLarge(
      Array.from({ length: 16 }, (_, i) => `${i === 0 ? get() : ''}X: ${'a'.repeat(chunk)}\r\n`),
    ),
    'long extensions of a chunk': tooLarge(
      `${publish(chunked)}${end}2;a=${'a'.repeat(20_000)}\r\n${yaml}`,
    ),
    'too much, as declared': tooLarge(`${publish('Content-Length: 99999999999')}${end}`),
    'too much, undeclared': tooLarge([
      `${publish(chunked)}${end}`,
      ...Array.from({ length: 160 }, () => [
        `${chunk.toString(16)}\r\n`,
        Buffer.alloc(chunk, 'a'),
        '\r\n',
      ]).flat(),
    ]),
  };
}
