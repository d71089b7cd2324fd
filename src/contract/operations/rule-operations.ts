import * as z from 'zod';
import type { Operation } from '../operation.ts';
import { rule } from '../policy-schemas.ts';
import { channel, policyId, readerHeaders, timestamp } from '../values.ts';

/** The read path: what every service polls. */
export const ruleOperations = {
  getPolicy: {
    id: 'getPolicy',
    method: 'get',
    path: '/api/policies/{id}',
    part: 'rules',
    scope: 'read:policy',
    tag: 'Rules',
    summary: 'The rule in force',
    description:
      'Poll it with `If-None-Match`: a `304` has no body and costs one read. With `at`, the rule ' +
      'that was in force then; with `known` as well, as it was known at that time.',
    params: z.object({ id: policyId }),
    query: z.object({
      channel: channel.optional().describe('Else the header `X-Channel`, else `prod`'),
      at: timestamp.optional(),
      known: timestamp.optional().describe('Leave out what was decided after this time'),
    }),
    headers: z.object({
      'x-channel': channel.optional(),
      'if-none-match': z.string().optional(),
      ...readerHeaders,
    }),
    responses: {
      200: {
        description: 'The rule, as minimised JSON',
        schema: rule,
        headers: {
          ETag: 'The snapshot in force, quoted',
          'Repr-Digest':
            'SHA-256 of the rule as sent (RFC 9530); not of what was stored before it was kept',
          'X-Next-Snapshot': 'A rule that waits for its effective time',
          'X-Next-Effective': 'From when on it is in force',
          'X-Canary-Run': 'The run whose candidate this is',
          'X-Shadow-Snapshot': 'A candidate to evaluate beside the rule, and not to enforce',
        },
      },
      304: { description: 'The caller has it already' },
    },
    problems: ['not_found', 'not_in_force'],
  },
} as const satisfies Record<string, Operation>;
