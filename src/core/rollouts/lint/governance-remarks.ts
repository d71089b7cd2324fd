import {
  actionPrefix,
  generalPolicy,
  holdsGovernance,
  isAsked,
} from '../../governance/governance-rule.ts';
import { parseGovernance } from '../../governance/parse-governance.ts';
import type { Json } from '../../values/json.ts';
import type { Remark } from './remark.ts';

const rule = 'governance';

/** What is wrong with a policy of the kind `governance`, or with one that should be of it. */
export function governanceRemarks(policy: string, document: Json): Remark[] {
  if (!holdsGovernance(policy, document)) return [];
  const parsed = parseGovernance(document);
  if ('problems' in parsed) {
    return parsed.problems.map(({ at, detail }) => ({ severity: 'error', rule, at, detail }));
  }
  if (isAsked(policy)) return [];
  const at = { parent: undefined, key: 'id' };
  const detail = `nobody asks the rules of this policy; name it ${generalPolicy}, or ${actionPrefix}<action>`;
  return [{ severity: 'warning', rule, at, detail }];
}
