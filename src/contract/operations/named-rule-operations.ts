import * as z from 'zod';
import type { Operation } from '../operation.ts';
import { channel, policyId, snapshotId } from '../values.ts';
import { ruleOperations } from './rule-operations.ts';

const { headers, responses } = ruleOperations.getPolicy;

const namedRule = z
  .object({
    name: policyId,
    value: z.json().describe('The field `value` of the rule'),
    policy: policyId,
    version: z.string(),
    snapshot: snapshotId,
  })
  .meta({ id: 'NamedRule' });

/** One value out of a rule, for who needs no more. */
export const namedRuleOperations = {
  getNamedRule: {
    id: 'getNamedRule',
    method: 'get',
    path: '/rules/{rule}',
    part: 'rules',
    scope: 'read:policy',
    tag: 'Rules',
    summary: 'A single rule, by name: its value in force',
    description:
      'The policy of that id, which has its value in the field `value`. Poll it with ' +
      '`If-None-Match`: a `304` has no body and costs one read.',
    params: z.object({
      rule: policyId.meta({ description: 'The id of a policy', example: 'MAX_INCOME' }),
    }),
    query: z.object({
      channel: channel.optional().describe('Else the header `X-Channel`, else `prod`'),
    }),
    headers,
    responses: {
      200: { ...responses[200], description: 'The value', schema: namedRule },
      304: responses[304],
    },
    problems: ['not_found', 'not_in_force'],
  },
} as const satisfies Record<string, Operation>;
