import * as z from 'zod';
import type { ErrorCode } from '../core/errors/app-error.ts';
import { problems } from './problems.ts';

/** A `Problem`, as clients may rely on it. */
export const problemSchema = z
  .object({
    type: z.string().describe('`urn:hms:problem:` and the code'),
    title: z.string(),
    status: z.int(),
    code: z.enum(Object.keys(problems) as [ErrorCode, ...ErrorCode[]]),
    detail: z.string().describe('What went wrong this time, and what to do'),
    requestId: z.string(),
    errors: z
      .array(z.object({ pointer: z.string(), detail: z.string() }))
      .optional()
      .describe('For bad input: each finding and where it is'),
  })
  .meta({ id: 'Problem' });
