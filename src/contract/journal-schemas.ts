import * as z from 'zod';
import { pageOf, timestamp } from './values.ts';

export const journalItem = z
  .object({
    index: z.int().describe('0, 1, 2 … per tenant, without a gap'),
    at: timestamp,
    actor: z.string(),
    action: z.string(),
    subject: z.string(),
    before: z.json(),
    after: z.json(),
    requestId: z.string(),
    reason: z.string().nullable(),
  })
  .meta({ id: 'JournalItem' });

export const journalPage = pageOf(journalItem).meta({ id: 'JournalPage' });
