import * as z from 'zod';
import { digest, pageOf, policyId, reason, runNumber, ticketId, timestamp } from './values.ts';

const decision = z.enum(['approve', 'reject', 'close']);

export const ticketDecision = z
  .strictObject({ decision, reason: reason.optional() })
  .meta({ id: 'TicketDecision' });

export const ticket = z
  .object({
    id: ticketId,
    kind: z
      .enum(['approval', 'review'])
      .describe('`review`: a canary failed, or told too little to judge'),
    run: runNumber,
    status: z.enum(['open', 'approved', 'rejected', 'closed', 'void', 'expired']),
    choices: z.array(decision).describe('`close` only notes that somebody looked'),
    question: z.string(),
    authors: z.array(z.string()).describe('Who may not decide'),
    needs: z.int().describe('So many people must approve'),
    decisions: z.array(
      z.object({ by: z.string(), decision, reason: z.string().nullable(), at: timestamp }),
    ),
    binding: z
      .object({
        policies: z.array(
          z.object({
            id: policyId,
            digest,
            gen: z.int(),
            replaces: digest.nullable().describe('The rule to be replaced'),
          }),
        ),
        report: z.string().nullable().describe('The report of the simulation'),
      })
      .describe('What an approval is for: it is void when any of it changes'),
    openedAt: timestamp,
    expiresAt: timestamp.describe('Then the answer is no'),
    closedAt: timestamp.nullable(),
  })
  .meta({ id: 'Ticket' });

export const ticketPage = pageOf(ticket).meta({ id: 'TicketPage' });
