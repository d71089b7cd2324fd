import { checkRule } from '../../sdk/src/policies/check-rule.ts';
import type { RulesToKeep } from '../../sdk/src/policies/rule-copy.ts';

export const ownerOfCopies = {
  baseUrl: 'http://hms.test',
  client: 'c',
  channel: 'prod',
  subject: null,
  region: null,
  policies: null,
} as const;

/** Half a megabyte of rules, each of which says `number`. */
export async function numberedRules(number: number): Promise<RulesToKeep> {
  const note = 'x'.repeat(50_000);
  const rules = await Promise.all(
    Array.from({ length: 10 }, async (_, at) => {
      const id = `policy-${at}`;
      const named = {
        id,
        snapshot: `s-${number}`,
        version: '1.0.0',
        gen: number,
        bodyDigest: null,
      };
      const json = JSON.stringify({ id, version: '1.0.0', number, note });
      return [named, await checkRule(named, new TextEncoder().encode(json))] as const;
    }),
  );
  return {
    etag: `"prod-${number}"`,
    checkedAtMs: Date.now(),
    entries: rules.map(([{ id, gen, snapshot, version }, { value }]) => ({
      id,
      gen,
      current: { snapshot, version, value },
      next: null,
      trial: null,
    })),
    ruleOf: ({ id }) => rules.find(([named]) => named.id === id)?.[1],
  };
}
