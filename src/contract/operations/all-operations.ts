import type { Operation } from '../operation.ts';
import { caseOperations } from './case-operations.ts';
import { changeOperations } from './change-operations.ts';
import { claimOperations } from './claim-operations.ts';
import { eventOperations } from './event-operations.ts';
import { feedOperations } from './feed-operations.ts';
import { gatewayOperations } from './gateway-operations.ts';
import { jobOperations } from './job-operations.ts';
import { namedRuleOperations } from './named-rule-operations.ts';
import { queryOperations } from './query-operations.ts';
import { docsOperations, healthOperations } from './open-operations.ts';
import { partnerOperations } from './partner-operations.ts';
import { referenceOperations } from './reference-operations.ts';
import { reportOperations } from './report-operations.ts';
import { rolloutOperations } from './rollout-operations.ts';
import { ruleOperations } from './rule-operations.ts';
import { serviceOperations } from './service-operations.ts';
import { workerOperations } from './worker-operations.ts';

/** The whole API. */
export const allOperations: readonly Operation[] = [
  ...Object.values(ruleOperations),
  ...Object.values(namedRuleOperations),
  ...Object.values(queryOperations),
  ...Object.values(changeOperations),
  ...Object.values(rolloutOperations),
  ...Object.values(partnerOperations),
  ...Object.values(reportOperations),
  ...Object.values(jobOperations),
  ...Object.values(workerOperations),
  ...Object.values(caseOperations),
  ...Object.values(claimOperations),
  ...Object.values(referenceOperations),
  ...Object.values(serviceOperations),
  ...Object.values(eventOperations),
  ...Object.values(gatewayOperations),
  ...Object.values(feedOperations),
  ...Object.values(healthOperations),
  ...Object.values(docsOperations),
];
