import * as z from 'zod';
import { channel, policyId, snapshotId, timestamp } from './values.ts';

/** `data` of an event, and of a message of the stream. */
export const policyChange = z
  .object({
    tenant: z.string(),
    id: policyId,
    channel,
    snapshot: snapshotId,
    version: z.string(),
    gen: z.int().describe('Of two changes of one policy and channel, the higher is the later'),
    action: z.enum([
      'policy.published',
      'policy.promoted',
      'policy.rolledback',
      'policy.activated',
      'policy.canary',
      'policy.released',
      'policy.restored',
    ]),
    reason: z.string().describe('What the person gave, else the verb: `publish`, `rollback` …'),
    before: snapshotId.nullable(),
    effectiveAt: timestamp.nullable().describe('Set when the rule is not in force before then'),
    actor: z.string(),
    index: z.int().describe('The journal entry'),
    at: timestamp,
  })
  .meta({ id: 'PolicyChange' });

/** CloudEvents 1.0, in JSON: the `detail` of an EventBridge event. */
export const policyEvent = z
  .object({
    specversion: z.literal('1.0'),
    id: z.string().describe('A repeat has the same'),
    source: z.literal('hms.policies'),
    type: z
      .enum(['policy.updated', 'policy.rolledback', 'policy.canary'])
      .describe('`policy.canary`: a few get the snapshot, and everyone else what they had'),
    subject: policyId,
    time: timestamp,
    datacontenttype: z.literal('application/json'),
    data: policyChange,
  })
  .meta({ id: 'PolicyEvent' });
