import { Unprocessable } from '../errors/app-error.ts';
import type { Rule } from '../packages/parse-rule.ts';
import { pointerTo } from '../packages/yaml-findings.ts';
import type { Json } from '../values/json.ts';
import { holdsGovernance } from './governance-rule.ts';

/**
 * Refuses a policy that would hold governance rules, by its kind or its id, when they are not
 * sound: in force, it would deny everything. Errors: `Unprocessable` with every problem.
 */
export async function requireSoundGovernance({
  id,
  body,
}: Pick<Rule, 'id' | 'body'>): Promise<void> {
  const document = JSON.parse(body) as Json;
  if (!holdsGovernance(id, document)) return;
  // It brings the compiler of expressions along, which hardly any publish needs.
  const { parseGovernance } = await import('./parse-governance.ts');
  const parsed = parseGovernance(document);
  if ('document' in parsed) return;
  const details = parsed.problems.map(({ at, detail }) => ({ pointer: pointerTo(at), detail }));
  const listed = details.map(({ pointer, detail }) => `${pointer || 'the document'} ${detail}`);
  const message = `The governance rules are refused: ${listed.slice(0, 3).join(', ')}.`;
  throw new Unprocessable('invalid_policy', message, details);
}
