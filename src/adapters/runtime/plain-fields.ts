import type { LogFields } from '../../ports/log.ts';

/** Fields that `JSON.stringify` writes without running anybody's code. */
export type PlainFields = Readonly<Record<string, unknown>>;

const maxTextChars = 8 * 1024;
const maxTotalChars = 64 * 1024;
const maxDepth = 6;
const maxEntries = 100;
const reserved = new Set(['level', 'time', 'msg']);

/** Copies any fields to plain ones, of bounded size. Never throws. */
export function plainFields(fields: LogFields | undefined): PlainFields {
  if (fields === undefined) return {};
  const plain = new Copier().copy(fields);
  if (!isObject(plain) || Array.isArray(plain)) return { fields: plain };
  return Object.fromEntries(
    Object.entries(plain).map(([name, value]) => [
      reserved.has(name) ? `field_${name}` : name,
      value,
    ]),
  );
}

export function plainText(text: unknown): string {
  const whole = typeof text === 'string' ? text : String(readable(() => String(text)));
  if (whole.length <= maxTextChars) return whole;
  return `${whole.slice(0, maxTextChars)}… [${whole.length} characters]`;
}

class Copier {
  #leftChars = maxTotalChars;
  readonly #above: object[] = [];

  copy(value: unknown): unknown {
    if (this.#leftChars <= 0) return '[omitted]';
    // Numbers and punctuation count too, so that the number of values is bounded as well.
    this.#leftChars -= 8;
    switch (typeof value) {
      case 'string':
        return this.#text(value);
      case 'number':
        return Number.isFinite(value) ? value : String(value);
      case 'bigint':
        return plainText(value);
      case 'object':
        return value === null ? null : readable(() => this.#object(value));
      case 'function':
      case 'symbol':
        return `[${typeof value}]`;
      default:
        return value;
    }
  }

  #text(text: string): string {
    const plain = plainText(text);
    this.#leftChars -= plain.length;
    return plain;
  }

  #object(value: object): unknown {
    if (this.#above.includes(value)) return '[circular]';
    if (this.#above.length >= maxDepth) return '[too deep]';
    this.#above.push(value);
    try {
      return this.#inside(value);
    } finally {
      this.#above.pop();
    }
  }

  #inside(value: object): unknown {
    if (value instanceof Error) return this.#error(value);
    if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`;
    if (Array.isArray(value)) return this.#list(value);
    if (value instanceof Set || value instanceof Map) return this.#list(beginning(value));
    // Dates, URLs and the like say themselves how they are written.
    if ('toJSON' in value && typeof value.toJSON === 'function') return this.copy(value.toJSON());
    return this.#entries(Object.keys(value), value);
  }

  #list(list: readonly unknown[]): unknown[] {
    const copied = list.slice(0, maxEntries).map((_, i) => this.#field(list, i));
    if (list.length > maxEntries) copied.push('[and more]');
    return copied;
  }

  #error(error: Error): unknown {
    const names = ['name', 'message', 'code', 'stack', 'cause', 'errors'];
    return this.#entries(
      names.filter((name) => Reflect.has(error, name)),
      error,
    );
  }

  #entries(names: readonly string[], from: object): unknown {
    const copied = names
      .slice(0, maxEntries)
      .map((name) => [this.#text(name), this.#field(from, name)] as const);
    if (names.length > maxEntries) copied.push(['…', '[and more]']);
    // From entries, not by assignment: a field may be named __proto__.
    return Object.fromEntries(copied);
  }

  #field(from: object, name: string | number): unknown {
    return readable(() => this.copy(Reflect.get(from, name)));
  }
}

function beginning(values: Iterable<unknown>): unknown[] {
  const taken: unknown[] = [];
  for (const value of values) {
    taken.push(value);
    if (taken.length > maxEntries) break;
  }
  return taken;
}

/** Getters, proxies and `toJSON` are code of others, and may throw. */
function readable(read: () => unknown): unknown {
  try {
    return read();
  } catch {
    return '[unreadable]';
  }
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
