import * as z from 'zod';
import type { CanaryPlan } from '../core/policies/canary-plan.ts';

const maxObserveSeconds = 14_400;

const canaryOptions = z
  .strictObject({
    percent: z
      .number()
      .min(0.01)
      .max(100)
      .optional()
      .describe('Share of the subjects; else 5, or, with a scope, 100'),
    scope: z
      .string()
      .regex(/^region:[A-Za-z0-9_-]{1,64}$/, '`region:` and the name of a region')
      .nullable()
      .default(null)
      .describe('Only subjects of this region, such as `region:NCR`'),
    observeSeconds: z.int().min(1).max(maxObserveSeconds).default(300),
    maxNewAlerts: z.int().min(1).max(100).default(2).describe('So many fail it at once'),
    minDecisions: z
      .int()
      .min(0)
      .max(1e9)
      .default(20)
      .describe('Fewer under the candidate are no verdict'),
    allowSilent: z.boolean().default(false).describe('No telemetry at all passes, too'),
    quorum: z
      .int()
      .min(1)
      .max(10_000)
      .nullable()
      .default(null)
      .describe('So many services must acknowledge it, instead of the time'),
  })
  .meta({ id: 'CanaryOptions' });

const canaryShare = z
  .number()
  .min(0.0001, 'a share from 0.0001 to 1; 0.05 is 5 %')
  .max(1, 'a share from 0.0001 to 1; 0.05 is 5 %')
  .describe('Only the share: 0.05 is 5 %');

/** How a candidate is to be tried, as people write it: parsed to the plan, or null for none. */
export const canaryWish = z
  .union([canaryOptions, canaryShare, z.literal(false), z.null()], {
    error: 'the options of a canary, a share such as 0.05, or false for none',
  })
  .transform(settle);

function settle(wish: z.output<typeof canaryOptions> | number | false | null): CanaryPlan | null {
  if (wish === false || wish === null) return null;
  const asked = typeof wish === 'number' ? canaryOptions.parse({ percent: wish * 100 }) : wish;
  const { scope, percent = scope === null ? 5 : 100 } = asked;
  // Audiences are cut to hundredths of a percent.
  return { ...asked, percent: Math.round(percent * 100) / 100 };
}

/** The plan of a run or a channel, every option settled. */
export const canaryPlan = z
  .object({
    percent: z.number().describe('Share of the subjects'),
    scope: z.string().nullable(),
    observeSeconds: z.int(),
    maxNewAlerts: z.int(),
    minDecisions: z.int(),
    allowSilent: z.boolean(),
    quorum: z.int().nullable(),
  })
  .meta({ id: 'CanaryPlan' });
