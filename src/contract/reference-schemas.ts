import * as z from 'zod';
import { referenceNamePattern } from '../core/reference/reference-record.ts';
import { digest, pageOf, timestamp } from './values.ts';

export const referenceName = z
  .string()
  .regex(referenceNamePattern, 'reference data is named by 1 to 64 of a-z 0-9 -, and no - first')
  .meta({ example: 'school-bus-routes' });

/** Reference data without its document. */
export const reference = z
  .object({
    name: referenceName,
    digest,
    sizeBytes: z.int(),
    features: z.int().describe('How many it has'),
    changedAt: timestamp,
    changedBy: z.string(),
  })
  .meta({ id: 'Reference' });

export const storedReference = reference
  .extend({ status: z.enum(['stored', 'unchanged']) })
  .meta({ id: 'StoredReference' });

export const referencePage = pageOf(reference).meta({ id: 'ReferencePage' });
