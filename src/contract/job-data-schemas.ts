import * as z from 'zod';
import { caseId } from './case-schemas.ts';
import { eventType, serviceName } from './service-schemas.ts';
import { oneLine } from './values.ts';

/** `data` of a job `pothole.report`. */
export const potholeReport = z
  .strictObject({
    lat: z.number().min(-90).max(90).describe('Degrees of WGS 84'),
    lon: z.number().min(-180).max(180),
    description: oneLine(500),
    reporter: z
      .string()
      .max(256)
      .optional()
      .describe('Who reports: the subject of the job, or left out'),
  })
  .meta({ id: 'PotholeReport' });

/** `data` of a job `case.close`. */
export const caseToClose = z
  .strictObject({ case: caseId, note: oneLine(500).optional().describe('What was done') })
  .meta({ id: 'CaseToClose' });

/** `data` of a job `event.deliver`. */
export const eventDelivery = z
  .strictObject({
    service: serviceName,
    type: eventType,
    event: z.string().min(1).max(512).describe('The id of the event'),
    log: z
      .string()
      .regex(/^jobs-(?:0|[1-9]\d?)$/, 'the name of a log, such as jobs-0')
      .describe('Where it is in the journal: the log, as in `GET /api/audit`, and the index'),
    index: z.int().min(0),
  })
  .meta({ id: 'EventDelivery' });
