import { LRUCache } from 'lru-cache';
import type { Json } from '../values/json.ts';
import { governanceLimits } from './governance-limits.ts';
import { parseGovernance, type ParsedGovernance } from './parse-governance.ts';

/** What a document takes beside its text. */
const overheadBytes = 2000;

/** As measured: what a character of an expression takes, compiled. */
const charBytes = 150;

/**
 * Keeps documents as parsed, by the digest of their snapshot: what a digest stands for never
 * changes, so nothing has to be forgotten. Holds about `maxBytes`; what was asked longest ago goes
 * first. One for a process.
 */
export class GovernanceCache {
  readonly #parsed: LRUCache<string, ParsedGovernance>;

  constructor({ maxBytes = 64 * 1024 * 1024 }: { readonly maxBytes?: number } = {}) {
    this.#parsed = new LRUCache({ maxSize: maxBytes, maxEntrySize: maxBytes });
  }

  /** `read` answers the body as JSON text; it is called, and parsed, when the digest is new. */
  async parsed(digest: string, read: () => Promise<string>): Promise<ParsedGovernance> {
    const known = this.#parsed.get(digest);
    if (known !== undefined) return known;
    const body = await read();
    const meanwhile = this.#parsed.get(digest);
    if (meanwhile !== undefined) return meanwhile;
    const parsed = parseGovernance(JSON.parse(body) as Json);
    this.#parsed.set(digest, parsed, { size: sizeOf(parsed, body) });
    return parsed;
  }
}

function sizeOf(parsed: ParsedGovernance, body: string): number {
  if ('problems' in parsed) return overheadBytes;
  const patternBytes = parsed.document.rules.reduce((sum, { when }) => sum + when.patternBytes, 0);
  const chars = Math.min(body.length, governanceLimits.maxExpressionBytes);
  return overheadBytes + charBytes * chars + patternBytes;
}
