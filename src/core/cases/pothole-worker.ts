import type { Clock } from '../../ports/clock.ts';
import { distanceM } from '../geo/distance.ts';
import type { GeoPlace } from '../geo/geo-place.ts';
import {
  type DataSchema,
  defineWorker,
  type Validator,
  type Worker,
} from '../jobs/define-worker.ts';
import type { ReferenceIndexes } from '../reference/reference-indexes.ts';
import { caseLimits, type CaseRecord, kindRules } from './case-record.ts';
import { type JudgedUrgency, judgeUrgency, urgencyReferences } from './judge-urgency.ts';
import { duplicateOf, openCase } from './open-case.ts';

/** The data of a job `pothole.report`. */
export interface PotholeReport {
  readonly lat: number;
  readonly lon: number;
  /** One line. */
  readonly description: string;
  /** Who reports; it has to be the subject of the job. */
  readonly reporter?: string | undefined;
}

export interface PotholeParts {
  readonly schema: DataSchema<PotholeReport>;
  readonly references: ReferenceIndexes;
  readonly clock: Pick<Clock, 'nowMs'>;
}

/** Open sea. */
const nullIsland: GeoPlace = { lat: 0, lon: 0 };
const nullIslandM = 1000;

/** Who is who they say they are: the caller's token does, or the service that speaks for them. */
const identity: Validator<PotholeReport> = {
  name: 'identity',
  check: async ({ job, data }) => {
    if (job.subject.trim() === '') return 'the job does not say on whose behalf it is';
    if (data.reporter === undefined || data.reporter === job.subject) return null;
    return 'the reporter is somebody else than the job is for: leave "reporter" out, or name the same';
  },
};

const location: Validator<PotholeReport> = {
  name: 'location',
  check: async ({ data }) => {
    if (Math.abs(data.lat) > caseLimits.maxLatitude) {
      return `there are no streets beyond ${caseLimits.maxLatitude} degrees of latitude`;
    }
    // What a device sends that does not know where it is; nobody has a street there.
    if (distanceM(data, nullIsland) > nullIslandM) return null;
    return 'latitude 0 and longitude 0 are in the open sea: send the place of the pothole';
  },
};

const duplicate: Validator<PotholeReport> = {
  name: 'duplicate',
  check: async ({ tenant, tx, data }) => {
    const found = await duplicateOf(tx, tenant, 'pothole', placeOf(data));
    if (found === null) return null;
    return `${found.id} is open for a pothole ${Math.round(found.distanceM)} m from here`;
  },
};

/**
 * Takes a report of a pothole (`pothole.report`) to a case: who reports, where, whether it is known
 * already, how urgent it is. The case commits with the job. Then two events are published:
 * `case.opened`, for whoever follows cases, and `crew.notified`, which is the notice to the crew:
 * what hands work to crews subscribes to it. Neither says who reported.
 *
 * The result: `{case, urgency, reasons}`.
 */
export function potholeWorker({ schema, references, clock }: PotholeParts): Worker {
  return defineWorker<PotholeReport>({
    type: 'pothole.report',
    schema,
    validators: [identity, location, duplicate],
    handler: async (context) => {
      const { tenant, job, data, tx, signal } = context;
      const place = placeOf(data);
      await context.progress(10, 'looking for hospitals and school-bus routes nearby');
      const [hospitals, schoolBusRoutes] = await Promise.all([
        references.load(tenant, urgencyReferences.hospitals),
        references.load(tenant, urgencyReferences.schoolBusRoutes),
      ]);
      signal.throwIfAborted();
      const judged = judgeUrgency(place, { hospitals, schoolBusRoutes });
      await context.progress(60, `the urgency is ${judged.urgency}`);
      const at = new Date(clock.nowMs()).toISOString();
      const record: CaseRecord = {
        id: `CASE-${job.number}`,
        kind: 'pothole',
        location: place,
        urgency: judged.urgency,
        reasons: judged.reasons,
        references: [hospitals, schoolBusRoutes].flatMap((used) =>
          used === null ? [] : [{ name: used.name, digest: used.digest }],
        ),
        description: data.description,
        reportedBy: job.subject,
        openedAt: at,
        job: job.id,
        crewNotice: { crew: kindRules.pothole.crew, at },
        closed: null,
      };
      await openCase(tx, tenant, record);
      const { id, kind, description, crewNotice } = record;
      const told = { case: id, kind, ...jsonOf(judged), location: { ...place } };
      tx.emit({ type: 'case.opened', subject: id, data: { ...told, openedAt: at } });
      tx.emit({
        type: 'crew.notified',
        subject: id,
        data: { crew: crewNotice.crew, ...told, description },
      });
      return { case: id, ...jsonOf(judged) };
    },
  });
}

function placeOf({ lat, lon }: PotholeReport): GeoPlace {
  return { lat, lon };
}

function jsonOf({ urgency, reasons }: JudgedUrgency) {
  return { urgency, reasons: [...reasons] };
}
