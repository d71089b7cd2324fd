import { randomUUID } from 'node:crypto';
import { strToU8, zipSync } from 'fflate';

/** An id that no other test uses, also where all tests share one deployment. */
export function uniqueId(prefix: string): string {
  return `${prefix}-${randomUUID().slice(0, 13)}`;
}

/** A rule as a person writes it: `ruleYaml('fcc', { version: '1.1.0', limit: 750 })`. */
export function ruleYaml(id: string, fields: Readonly<Record<string, unknown>> = {}): string {
  return Object.entries({ id, version: '1.0.0', ...fields })
    .map(([name, value]) => `${name}: ${JSON.stringify(value)}\n`)
    .join('');
}

/** A package with the rule and, beside it, whatever is given: bytes that are the same every time. */
export function packageOf(
  yaml: string,
  beside: Readonly<Record<string, string>> = {},
): Uint8Array<ArrayBuffer> {
  const files = Object.entries({ 'policy.yaml': yaml, ...beside }).map(
    ([name, text]): [string, Uint8Array] => [name, strToU8(text)],
  );
  return zipSync(Object.fromEntries(files), { level: 6, mtime: new Date(2024, 5, 10, 12) });
}
