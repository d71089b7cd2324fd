import * as z from 'zod';
import type { RunAction } from '../core/rollouts/change-run.ts';
import { stageNames } from '../core/rollouts/run-record.ts';
import { deliveryStatus, noticeKind } from './partner-schemas.ts';
import { runStatus, stageStatus } from './run-schemas.ts';
import { channel, partnerName, policyId, runNumber, snapshotId, timestamp } from './values.ts';

const runActions = [
  'run.queued',
  'run.started',
  'run.linted',
  'run.simulated',
  'run.asked',
  'run.approved',
  'run.held',
  'run.canary',
  'run.extended',
  'run.judged',
  'run.released',
  'run.notifying',
  'run.ended',
] as const satisfies readonly RunAction[];

const deliveryActions = [
  'delivery.delivered',
  'delivery.acked',
  'delivery.exhausted',
  'delivery.collapsed',
  'delivery.gone',
  'delivery.redelivered',
] as const;

const entry = {
  tenant: z.string(),
  run: runNumber,
  actor: z.string(),
  reason: z.string().nullable(),
  index: z.int().describe('The journal entry'),
  at: timestamp,
} as const;

const runStep = z
  .object({
    ...entry,
    action: z.enum(runActions),
    status: runStatus,
    channel,
    policies: z.array(z.object({ id: policyId, snapshot: snapshotId })),
    outcome: z.string().nullable().optional(),
    stages: z
      .array(
        z.object({
          name: z.enum(stageNames),
          status: stageStatus,
          detail: z.string().nullable(),
        }),
      )
      .optional()
      .describe('As they stand after the step'),
    waitsFor: runNumber.nullable().optional().describe('With `run.queued`'),
    canary: z
      .object({ salt: z.string(), weight: z.int(), region: z.string().nullable() })
      .optional()
      .describe('With `run.canary`: who gets the candidate'),
    ticket: z
      .object({ id: z.string(), status: z.string() })
      .optional()
      .describe('What is asked of people'),
  })
  .meta({ id: 'RunStep' });

const deliveryEnd = z
  .object({
    ...entry,
    action: z.enum(deliveryActions),
    id: z.string().describe('The delivery'),
    partner: partnerName,
    kind: noticeKind,
    status: deliveryStatus,
  })
  .meta({ id: 'DeliveryChange' });

/** `data` of an event about a run, and of a message of its stream. */
export const runChange = z
  .discriminatedUnion('action', [runStep, deliveryEnd])
  .meta({ id: 'RunChange' });

/** CloudEvents 1.0, in JSON: the `detail` of an EventBridge event. */
export const runEvent = z
  .object({
    specversion: z.literal('1.0'),
    id: z.string().describe('A repeat has the same'),
    source: z.literal('hms.rollouts'),
    type: z.enum([...runActions, ...deliveryActions]).describe('The action'),
    subject: z.string().describe('`run:` and the number'),
    time: timestamp,
    datacontenttype: z.literal('application/json'),
    data: runChange,
  })
  .meta({ id: 'RunEvent' });
