import { abortable } from '../api/abortable.ts';
import type { Api } from '../api/api.ts';
import { Deadline } from '../api/deadline.ts';
import { checkRule, type NamedRule } from './check-rule.ts';
import { fetchPackage } from './fetch-package.ts';
import { RuleRefused } from './policy-errors.ts';
import type { FetchRule } from './rule-bodies.ts';
import type { VerifyRule } from './rule-candidate.ts';
import { snapshotPath } from './snapshot-path.ts';

const timeoutMs = 10_000;
const verifyTimeoutMs = 30_000;
/** A rule has at most 1 Mi characters. */
const maxRuleBytes = 8 * 1024 * 1024;

/**
 * Gets a rule from the service, checks it, and then has it verified. One try.
 * Errors: `RuleRefused`; as of `send`.
 */
export function ruleFetcher(api: Pick<Api, 'send'>, verify: VerifyRule | undefined): FetchRule {
  return async (named, signal) => {
    const { bytes } = await api.send({
      path: snapshotPath(named.id, named.snapshot),
      headers: { accept: 'application/json' },
      retries: 0,
      timeoutMs,
      maxBytes: maxRuleBytes,
      signal,
    });
    const rule = await checkRule(named, bytes);
    if (verify !== undefined) await ask(verify, api, named, bytes, signal);
    return rule;
  };
}

async function ask(
  verify: VerifyRule,
  api: Pick<Api, 'send'>,
  named: NamedRule,
  bytes: Uint8Array,
  closing: AbortSignal,
): Promise<void> {
  const limit = new Deadline(verifyTimeoutMs, closing);
  const { signal } = limit;
  const { id, snapshot } = named;
  const candidate = {
    ...named,
    bytes,
    signal,
    fetchPackage: async () => fetchPackage(api, id, snapshot, signal),
  };
  try {
    await abortable((async () => verify(candidate))(), signal);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new RuleRefused('verify', limit.isOver ? 'it was not verified in time' : why, error);
  } finally {
    limit.end();
  }
}
