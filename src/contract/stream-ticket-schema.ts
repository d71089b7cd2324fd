import * as z from 'zod';
import { timestamp } from './values.ts';

export const streamTicket = z
  .object({
    ticket: z.string().describe('Good for one connection'),
    url: z.string().describe('Where to connect, with the ticket in it'),
    expiresAt: timestamp,
  })
  .meta({ id: 'StreamTicket' });
