import type { HeaderList } from '../../ports/service-caller.ts';

/** What is between two neighbours, and not passed on (RFC 9110, 7.6.1), or frames the body. */
const ofOneHop: ReadonlySet<string> = new Set([
  'connection',
  'content-length',
  'expect',
  'http2-settings',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/**
 * The headers that go from one end to the other, names in lower case: not those of one hop, nor what
 * `Connection` names.
 */
export function endToEnd(headers: HeaderList): HeaderList {
  const passed: [string, string][] = [];
  let named: Set<string> | undefined;
  for (const [given, value] of headers) {
    const name = given.toLowerCase();
    if (name === 'connection') named = withOptions(named, value);
    else if (!ofOneHop.has(name)) passed.push([name, value]);
  }
  return named === undefined ? passed : passed.filter(([name]) => !named.has(name));
}

function withOptions(named: Set<string> | undefined, value: string): Set<string> | undefined {
  // What most clients say, and says nothing of any header.
  if (/^(?:close|keep-alive)$/i.test(value)) return named;
  const options = value.toLowerCase().split(',');
  return new Set([...(named ?? []), ...options.map((option) => option.trim())]);
}

/** How this hop names itself (RFC 9110, 7.6.3). */
const viaUs = '1.1 hms-svc';

/** `Via`, with this hop at its end. */
export function viaWithUs(headers: HeaderList): string {
  const before = headers.filter(([name]) => name.length === 3 && name.toLowerCase() === 'via');
  return [...before.map(([, value]) => value), viaUs].join(', ');
}
