import * as z from 'zod';
import { caseLimits } from '../../core/cases/case-record.ts';
import { caseId, casesNear, caseView, nearPlace } from '../case-schemas.ts';
import type { Operation } from '../operation.ts';

const none = z.object({});

/** What jobs have written for people to act on. */
export const caseOperations = {
  findCases: {
    id: 'findCases',
    method: 'get',
    path: '/cases',
    part: 'jobs',
    scope: 'read:job',
    tag: 'Cases',
    summary: 'The open cases around a place, the nearest first',
    params: none,
    query: z.object({
      near: nearPlace.describe('Latitude and longitude in degrees, with a comma'),
      radius: z.coerce
        .number()
        .int()
        .min(1)
        .max(caseLimits.maxRadiusM)
        .default(250)
        .describe('In metres'),
      limit: z.coerce.number().int().min(1).max(200).default(50),
    }),
    headers: none,
    responses: { 200: { description: 'At this moment', schema: casesNear } },
    problems: [],
  },
  getCase: {
    id: 'getCase',
    method: 'get',
    path: '/cases/{case}',
    part: 'jobs',
    scope: 'read:job',
    tag: 'Cases',
    summary: 'A case: where, how urgent, why, and who was told',
    params: z.object({ case: caseId }),
    query: none,
    headers: none,
    responses: { 200: { description: 'The case', schema: caseView } },
    problems: ['not_found'],
  },
} as const satisfies Record<string, Operation>;
