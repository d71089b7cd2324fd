import { deepFreeze } from './deep-freeze.ts';
import { RuleRefused } from './policy-errors.ts';
import { sha256Name } from './sha256.ts';

/** A snapshot of a policy, as a manifest or a cache names it. */
export interface NamedRule {
  readonly id: string;
  readonly snapshot: string;
  readonly version: string;
  readonly gen: number;
  /** `sha256:<hex>` of the bytes of the rule; null when it is not known. */
  readonly bodyDigest: string | null;
}

/** A rule that may be run. */
export interface CheckedRule {
  /** Of its bytes, whether anybody had named it or not. */
  readonly digest: string;
  /** Frozen, all of it. */
  readonly value: object;
  readonly json: string;
}

/**
 * The rule in these bytes: they have the digest that was named, and are the JSON of this policy and
 * version. The digest is checked before anything is parsed.
 * Errors: `RuleRefused`.
 */
export async function checkRule(named: NamedRule, bytes: Uint8Array): Promise<CheckedRule> {
  const digest = await sha256Name(bytes);
  if (named.bodyDigest !== null && named.bodyDigest !== digest) {
    throw new RuleRefused('digest', `its bytes have ${digest}, and not ${named.bodyDigest}`);
  }
  const { json, value } = parsed(bytes);
  const { id, version } = value as { readonly id?: unknown; readonly version?: unknown };
  if (id !== named.id || version !== named.version) {
    throw new RuleRefused('other-rule', `it says to be ${String(id)} ${String(version)}`);
  }
  return { digest, value: deepFreeze(value), json };
}

function parsed(bytes: Uint8Array): { readonly json: string; readonly value: object } {
  try {
    const json = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    const value: unknown = JSON.parse(json);
    if (typeof value === 'object' && value !== null) return { json, value };
  } catch (error) {
    throw new RuleRefused('unreadable', 'it is not JSON', error);
  }
  throw new RuleRefused('unreadable', 'it is not an object');
}
