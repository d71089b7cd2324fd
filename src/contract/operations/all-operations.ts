import type { Operation } from '../operation.ts';
import { changeOperations } from './change-operations.ts';
import { feedOperations } from './feed-operations.ts';
import { queryOperations } from './query-operations.ts';
import { docsOperations, healthOperations } from './open-operations.ts';
import { ruleOperations } from './rule-operations.ts';

/** The whole API. */
export const allOperations: readonly Operation[] = [
  ...Object.values(ruleOperations),
  ...Object.values(queryOperations),
  ...Object.values(changeOperations),
  ...Object.values(feedOperations),
  ...Object.values(healthOperations),
  ...Object.values(docsOperations),
];
