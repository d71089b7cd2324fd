/** A name is decoded: `/#52oot` is `Root`. A word is all else that is not delimited: `obj`, `-1.5`. */
export type PdfToken =
  | { readonly kind: 'name'; readonly text: string }
  | { readonly kind: 'word'; readonly text: string }
  | { readonly kind: 'integer'; readonly value: number }
  | { readonly kind: '<<' | '>>' | '[' | ']' | 'string' | 'end' };

const maxTextBytes = 127;
/** More than any offset or object number of a file here has. */
const maxDigits = 10;

/** By byte: 1 for white space, 2 for a delimiter, 0 for the rest (ISO 32000-2, 7.2.3). */
const classes = new Uint8Array(256);
for (const byte of [0x00, 0x09, 0x0a, 0x0c, 0x0d, 0x20]) classes[byte] = 1;
for (const char of '()<>[]{}/%') classes[char.charCodeAt(0)] = 2;

/**
 * The tokens of a PDF file, from one place on (ISO 32000-2, 7.2 and 7.3). What is no token ends
 * them. Reading all of them takes time linear in the file, and no memory; a name or word is cut
 * after 127 bytes.
 */
export class PdfTokens {
  readonly #bytes: Uint8Array;
  /** Where the next token is looked for; a token may be read again from where it began. */
  at: number;

  constructor(bytes: Uint8Array, at: number) {
    this.#bytes = bytes;
    this.at = at;
  }

  next(): PdfToken {
    this.#skipSpace();
    const byte = this.#bytes[this.at];
    const follows = this.#bytes[this.at + 1];
    switch (byte) {
      case undefined:
        return { kind: 'end' };
      case 0x2f: // /
        this.at += 1;
        return { kind: 'name', text: decoded(this.#regular()) };
      case 0x28: // (
        return this.#literalString();
      case 0x3c: // <
        return follows === 0x3c ? this.#take('<<') : this.#hexString();
      case 0x3e: // >
        return follows === 0x3e ? this.#take('>>') : { kind: 'end' };
      case 0x5b:
        return this.#take('[');
      case 0x5d:
        return this.#take(']');
      default:
        return classes[byte] === 0 ? this.#wordOrInteger() : { kind: 'end' };
    }
  }

  #take(kind: '<<' | '>>' | '[' | ']'): PdfToken {
    this.at += kind.length;
    return { kind };
  }

  #skipSpace(): void {
    for (;;) {
      const byte = this.#bytes[this.at];
      if (byte === undefined) return;
      if (byte === 0x25) this.#skipComment();
      else if (classes[byte] === 1) this.at += 1;
      else return;
    }
  }

  #skipComment(): void {
    for (;;) {
      const byte = this.#bytes[this.at];
      if (byte === undefined || byte === 0x0a || byte === 0x0d) return;
      this.at += 1;
    }
  }

  /** Tables are made of numbers: of these, no text is made. */
  #wordOrInteger(): PdfToken {
    const start = this.at;
    let value = 0;
    for (;;) {
      const byte = this.#bytes[this.at];
      const isDigit = byte !== undefined && byte >= 0x30 && byte <= 0x39;
      if (isDigit && this.at < start + maxDigits) {
        value = value * 10 + byte - 0x30;
        this.at += 1;
      } else if (this.at > start && (byte === undefined || classes[byte] !== 0)) {
        return { kind: 'integer', value };
      } else {
        this.at = start;
        return { kind: 'word', text: this.#regular() };
      }
    }
  }

  /** The regular characters here, as Latin-1. */
  #regular(): string {
    const start = this.at;
    for (;;) {
      const byte = this.#bytes[this.at];
      if (byte === undefined || classes[byte] !== 0) break;
      this.at += 1;
    }
    const end = Math.min(this.at, start + maxTextBytes);
    return String.fromCharCode(...this.#bytes.subarray(start, end));
  }

  /** Parentheses within it are balanced, or have a backslash before them. */
  #literalString(): PdfToken {
    let open = 0;
    for (;;) {
      const byte = this.#bytes[this.at];
      if (byte === undefined) return { kind: 'end' };
      this.at += byte === 0x5c ? 2 : 1;
      if (byte === 0x28) open += 1;
      else if (byte === 0x29) open -= 1;
      if (open === 0) return { kind: 'string' };
    }
  }

  #hexString(): PdfToken {
    for (;;) {
      const byte = this.#bytes[this.at];
      if (byte === undefined) return { kind: 'end' };
      this.at += 1;
      if (byte === 0x3e) return { kind: 'string' };
    }
  }
}

function decoded(name: string): string {
  return name.replaceAll(/#([0-9A-Fa-f]{2})/g, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
}
