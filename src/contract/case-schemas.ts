import * as z from 'zod';
import { caseIdPattern, caseKinds, caseLimits, urgencies } from '../core/cases/case-record.ts';
import { digest, timestamp } from './values.ts';

export const caseId = z
  .string()
  .regex(caseIdPattern, 'the id of a case, such as CASE-7')
  .meta({ description: '`CASE-` and the number of the job that opened it', example: 'CASE-7' });

const location = z
  .object({ lat: z.number(), lon: z.number() })
  .meta({ id: 'Location', description: 'Degrees of WGS 84' });

const urgency = z.enum(urgencies).meta({ id: 'Urgency' });
const reasons = z.array(z.string()).describe('Why it is that urgent');
const kind = z.enum(caseKinds);

const known = { id: caseId, kind, location, urgency, openedAt: timestamp } as const;

export const caseView = z
  .object({
    ...known,
    status: z.enum(['open', 'closed']),
    reasons,
    references: z
      .array(z.object({ name: z.string(), digest }))
      .describe('The reference data that the urgency rests on'),
    description: z.string(),
    reportedBy: z.string(),
    job: z.string().describe('The job that opened it'),
    crewNotice: z
      .object({ crew: z.string(), at: timestamp })
      .describe('Whom the event `crew.notified` was for'),
    closed: z
      .object({ at: timestamp, by: z.string(), note: z.string().nullable(), job: z.string() })
      .nullable(),
  })
  .meta({ id: 'Case' });

export const casesNear = z
  .object({
    items: z.array(z.object({ ...known, distanceM: z.int().describe('In whole metres') })),
    more: z.boolean().describe('There are more, farther away but within the radius'),
  })
  .meta({ id: 'CasesNear' });

const notAPlace =
  'latitude,longitude in degrees, such as near=38.5012,-98.2004; ' +
  `the latitude up to ${caseLimits.maxLatitude} either way, the longitude up to 180`;

/** `38.5012,-98.2004` */
export const nearPlace = z
  .string(notAPlace)
  .regex(/^-?\d{1,2}(?:\.\d{1,20})?,-?\d{1,3}(?:\.\d{1,20})?$/, notAPlace)
  .transform((text) => {
    const [lat = 0, lon = 0] = text.split(',').map(Number);
    return { lat, lon };
  })
  .refine(
    ({ lat, lon }) => Math.abs(lat) <= caseLimits.maxLatitude && Math.abs(lon) <= 180,
    notAPlace,
  )
  .meta({ example: '38.5012,-98.2004' });

const told = { case: caseId, kind, urgency, reasons, location } as const;

/** What the event `case.opened` says. */
export const caseOpened = z
  .object({ ...told, openedAt: timestamp })
  .meta({ id: 'CaseOpened', description: '`data.data` of the event `case.opened`' });

/** What the event `crew.notified` says. */
export const crewNotified = z.object({ crew: z.string(), ...told, description: z.string() }).meta({
  id: 'CrewNotified',
  description: '`data.data` of the event `crew.notified`: the notice itself, for who sends crews',
});

/** What the event `case.closed` says. */
export const caseClosed = z
  .object({ case: caseId, closedAt: timestamp, note: z.string().nullable() })
  .meta({ id: 'CaseClosed', description: '`data.data` of the event `case.closed`' });
