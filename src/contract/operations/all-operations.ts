import type { Operation } from '../operation.ts';
import { changeOperations } from './change-operations.ts';
import { feedOperations } from './feed-operations.ts';
import { queryOperations } from './query-operations.ts';
import { docsOperations, healthOperations } from './open-operations.ts';
import { partnerOperations } from './partner-operations.ts';
import { reportOperations } from './report-operations.ts';
import { rolloutOperations } from './rollout-operations.ts';
import { ruleOperations } from './rule-operations.ts';

/** The whole API. */
export const allOperations: readonly Operation[] = [
  ...Object.values(ruleOperations),
  ...Object.values(queryOperations),
  ...Object.values(changeOperations),
  ...Object.values(rolloutOperations),
  ...Object.values(partnerOperations),
  ...Object.values(reportOperations),
  ...Object.values(feedOperations),
  ...Object.values(healthOperations),
  ...Object.values(docsOperations),
];
