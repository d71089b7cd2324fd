import * as z from 'zod';
import type { Operation } from '../operation.ts';
import {
  convergence,
  countedAlert,
  newAlert,
  newReceipts,
  receiptAnswers,
} from '../report-schemas.ts';
import { channel, policyId, readerHeaders } from '../values.ts';

const none = z.object({});
const reporter = z.object({
  'x-subject': readerHeaders['x-subject'].describe(
    'The service that runs the rule, else the caller; needs the scope `hms/act:subject`',
  ),
});

/** What services tell of the rules that they run: the evidence of a canary. */
export const reportOperations = {
  reportAlert: {
    id: 'reportAlert',
    method: 'post',
    path: '/api/alerts',
    part: 'reports',
    scope: 'write:report',
    tag: 'Reports',
    summary: 'Report trouble with a rule',
    description: 'A repeat counts again: nothing tells it from a second alert.',
    params: none,
    query: none,
    headers: reporter,
    body: { kind: 'json', schema: newAlert },
    responses: { 202: { description: 'Counted', schema: countedAlert } },
    problems: ['not_found'],
  },
  reportReceipts: {
    id: 'reportReceipts',
    method: 'post',
    path: '/api/receipts',
    part: 'reports',
    scope: 'write:report',
    tag: 'Reports',
    summary: 'Acknowledge the rules that a service runs, and tell its decisions',
    description:
      'One receipt, or up to 100 that are answered each by itself. Who decides for both arms of a ' +
      'canary names both in one report, the rule of everyone last.',
    params: none,
    query: none,
    headers: reporter,
    body: { kind: 'json', schema: newReceipts },
    responses: { 200: { description: 'What became of each', schema: receiptAnswers } },
    problems: ['not_found'],
  },
  getConvergence: {
    id: 'getConvergence',
    method: 'get',
    path: '/api/policies/{id}/convergence',
    part: 'reports',
    scope: 'read:policy',
    tag: 'Reports',
    summary: 'How many services run the rule in force, and who lags',
    params: z.object({ id: policyId }),
    query: z.object({ channel: channel.default('prod') }),
    headers: none,
    responses: { 200: { description: 'At this moment', schema: convergence } },
    problems: ['not_found', 'not_in_force'],
  },
} as const satisfies Record<string, Operation>;
