import * as z from 'zod';
import { digest, pageOf, policyId, timestamp } from './values.ts';

/** A registered suite without its document. */
export const suite = z
  .object({
    name: z.string(),
    policies: z.array(policyId).describe('A run that changes one of them replays it'),
    scenarios: z.int().describe('How many it has'),
    digest: digest.describe('`sha256:` and 64 hex digits: of the document as minimised JSON'),
    sizeBytes: z.int(),
    changedAt: timestamp,
    changedBy: z.string(),
  })
  .meta({ id: 'Suite' });

export const storedSuite = suite
  .extend({ status: z.enum(['stored', 'unchanged']) })
  .meta({ id: 'StoredSuite' });

export const suitePage = pageOf(suite).meta({ id: 'SuitePage' });

export const suiteDocument = z
  .looseObject({})
  .meta({ id: 'SuiteDocument', description: 'The suite as it was registered, as JSON' });
