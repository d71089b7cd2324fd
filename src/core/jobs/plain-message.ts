/** One line of at most `maxChars` UTF-16 units, without control characters. Never empty. */
export function plainMessage(text: string, maxChars: number): string {
  // Far more than is kept, so that a message of megabytes costs nothing.
  const plain = text
    .slice(0, 4 * maxChars)
    .replaceAll(/\p{C}+/gu, ' ')
    .trim();
  return plain === '' ? 'no reason given' : plain.slice(0, maxChars).toWellFormed();
}
