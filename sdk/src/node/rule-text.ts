import { HmsError } from '../api/errors.ts';
import { type CheckedRule, checkRule, type NamedRule } from '../policies/check-rule.ts';
import type { BoardEntry } from '../policies/rule-board.ts';
import type { RestoredRules, RulesToKeep } from '../policies/rule-copy.ts';

/** Whose rules they are: nobody else is given them. */
export interface CopyOwner {
  readonly baseUrl: string;
  readonly client: string | null;
  readonly channel: string;
  readonly subject: string | null;
  readonly region: string | null;
  /** The policies that were asked for, in order; null for all. */
  readonly policies: readonly string[] | null;
}

/** A rule, as exactly the text that the service sent. */
interface SavedRule {
  readonly snapshot: string;
  readonly version: string;
  /** `sha256:<hex>` of `json` in UTF-8. */
  readonly digest: string;
  readonly json: string;
}

interface SavedPolicy {
  readonly id: string;
  readonly gen: number;
  readonly rule: SavedRule | null;
  readonly next: (SavedRule & { readonly effectiveAt: string }) | null;
}

interface SavedText {
  readonly format: string;
  readonly owner: CopyOwner;
  readonly etag: string | null;
  readonly checkedAtMs: number;
  readonly policies: readonly SavedPolicy[];
}

type Unknown<T> = { readonly [K in keyof T]?: unknown };
type Restored = readonly [NamedRule, CheckedRule];

const format = 'hms-svc rules 1';

/**
 * What is run now, without what is not at hand, and in place of a candidate on trial what everyone else
 * has: whoever begins with it has not asked the service.
 */
export function textOfRules(owner: CopyOwner, rules: RulesToKeep): string {
  const { etag, checkedAtMs, entries, ruleOf } = rules;
  const policies = Array.from(entries, ({ id, gen, current, next, trial }): SavedPolicy => {
    const saved = (rule: { readonly snapshot: string; readonly version: string } | null) => {
      const { snapshot = '', version = '' } = rule ?? {};
      const found = rule && ruleOf({ id, gen, snapshot, version, bodyDigest: null });
      return found ? { snapshot, version, digest: found.digest, json: found.json } : null;
    };
    const waiting = saved(next);
    const effectiveAt = next === null ? '' : new Date(next.effectiveAtMs).toISOString();
    const rule = saved(trial === null ? current : trial.stable);
    return { id, gen, rule, next: waiting && { ...waiting, effectiveAt } };
  }).filter(({ rule, next }) => rule !== null || next !== null);
  return JSON.stringify({ format, owner, etag, checkedAtMs, policies } satisfies SavedText);
}

/**
 * Checks what was saved as if a stranger had written it.
 * Errors: anything that is not as it must be; then none of it is to be used.
 */
export async function restoreRules(text: string, owner: CopyOwner): Promise<RestoredRules> {
  const saved = parsed(text);
  const { etag, checkedAtMs, policies } = saved;
  const isOurs = saved.format === format && JSON.stringify(saved.owner) === JSON.stringify(owner);
  if (!isOurs) throw new HmsError('It is not one of this client.');
  const isWhole =
    (etag === null || typeof etag === 'string') &&
    Number.isFinite(checkedAtMs) &&
    Array.isArray(policies);
  if (!isWhole) throw new HmsError('It is broken.');
  const found = await Promise.all(policies.map(restorePolicy));
  return {
    etag,
    checkedAtMs: checkedAtMs as number,
    entries: found.map(({ entry }) => entry),
    rules: found.flatMap(({ rules }) => rules),
  };
}

function parsed(text: string): Unknown<SavedText> {
  try {
    return (JSON.parse(text) as Unknown<SavedText> | null) ?? {};
  } catch (error) {
    throw new HmsError('It is broken.', { cause: error });
  }
}

async function restorePolicy(
  value: unknown,
): Promise<{ readonly entry: BoardEntry; readonly rules: readonly Restored[] }> {
  const { id, gen, rule, next } = (value ?? {}) as Unknown<SavedPolicy>;
  if (typeof id !== 'string' || typeof gen !== 'number' || !Number.isSafeInteger(gen)) {
    throw new HmsError('It has a policy without a name.');
  }
  const current = await restoreRule(id, gen, rule);
  const waiting = await restoreRule(id, gen, next);
  const effectiveAtMs = Date.parse(String((next as SavedPolicy['next'])?.effectiveAt));
  if (waiting !== null && Number.isNaN(effectiveAtMs)) {
    throw new HmsError(`It has no time for ${id}.`);
  }
  return {
    entry: {
      id,
      gen,
      current: current && placed(current),
      next: waiting && { ...placed(waiting), effectiveAtMs },
      trial: null,
    },
    rules: [current, waiting].filter((each) => each !== null),
  };
}

function placed([{ snapshot, version }, { value }]: Restored) {
  return { snapshot, version, value };
}

async function restoreRule(id: string, gen: number, value: unknown): Promise<Restored | null> {
  if (value === null) return null;
  const { snapshot, version, digest, json } = (value ?? {}) as Unknown<SavedRule>;
  const isWhole = [snapshot, version, digest, json].every((text) => typeof text === 'string');
  if (!isWhole) throw new HmsError(`It has no rule of ${id}.`);
  const named = { id, gen, snapshot, version, bodyDigest: digest } as NamedRule;
  return [named, await checkRule(named, new TextEncoder().encode(json as string))];
}
