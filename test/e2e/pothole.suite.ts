import { describe, expect, it } from 'vitest';
import { caseOperations } from '../../src/contract/operations/case-operations.ts';
import { changeOperations } from '../../src/contract/operations/change-operations.ts';
import { jobOperations } from '../../src/contract/operations/job-operations.ts';
import { referenceOperations } from '../../src/contract/operations/reference-operations.ts';
import { publishRule, useCast } from '../support/cast.ts';
import {
  endedJob,
  enqueue,
  type JobMessage,
  journalOfJob,
  listenToJobs,
  type JobPage,
} from '../support/job-calls.ts';
import { uniqueId } from '../support/policy-documents.ts';
import { below, type StartService } from '../support/service.ts';

const { enqueueJob } = jobOperations;
const type = 'pothole.report';
const description = 'Deep hole in the right lane';

interface Place {
  readonly lat: number;
  readonly lon: number;
}

/** What of chapter 3 of the mission is about Ravi, and the rules that govern what he may do. */
export function describePothole(name: string, start: StartService): void {
  describe(`${name}: Ravi reports a pothole`, () => {
    const cast = useCast(start);

    it('is thanked at once; then there is a case with its urgency, once, and everybody was told', async () => {
      const { service, reader, auditor } = cast;
      const school = somewhere();
      await refer('school-bus-routes', lineBeside(school));
      await refer('hospitals', { type: 'Point', coordinates: coordinatesOf(moved(school, 4000)) });
      const ears = await listenToJobs(service, `/api/stream/jobs?type=${type}`);

      const taken = await reader.call(enqueueJob, { json: report(school) });
      expect(taken.status).toBe(202);
      expect(taken.body).toEqual({ id: expect.any(String), status: 'queued' });
      const { id } = taken.body;
      expect(taken.headers.get('location')).toBe(below(service, `/jobs/${id}`));
      // Behind a gateway, its function may have to be started first.
      if (service.streams === 'live') expect(taken.elapsedMs).toBeLessThan(1000);

      const done = await endedJob(reader, id);
      expect(done).toMatchObject({ status: 'completed', attempts: 1, error: null });
      expect(done.history.map(({ status }) => status)).toEqual([
        'queued',
        'processing',
        'completed',
      ]);
      const opened = caseOf(done);
      expect(opened).toBe(`CASE-${done.number}`);
      const { body } = await reader.call(caseOperations.getCase, { params: { case: opened } });
      expect(body).toMatchObject({
        kind: 'pothole',
        status: 'open',
        location: school,
        urgency: 'high',
        description,
        reportedBy: done.subject,
        job: id,
        crewNotice: { crew: 'road-repair' },
        closed: null,
      });
      expect(body.reasons).toContainEqual(expect.stringContaining('the school-bus route Line 12'));
      expect(body.references.map((reference) => reference.name)).toEqual([
        'hospitals',
        'school-bus-routes',
      ]);

      const again = await endedJob(reader, await enqueue(reader, report(moved(school, 20))));
      expect(again).toMatchObject({
        status: 'rejected',
        attempts: 1,
        result: null,
        error: {
          code: 'rejected',
          validator: 'duplicate',
          message: `${opened} is open for a pothole 20 m from here`,
        },
      });
      const beyond = await endedJob(reader, await enqueue(reader, report(moved(school, 40))));
      expect(beyond.status).toBe('completed');

      const near = await casesNear(school, 100);
      expect(near.map((found) => [found.id, found.distanceM])).toEqual([
        [opened, 0],
        [caseOf(beyond), 40],
      ]);
      expect(await casesNear(moved(school, -60), 110)).toMatchObject([{ id: opened }, {}]);
      expect(await casesNear(moved(school, -60), 50)).toEqual([]);

      const isOf = (job: string) => (message: JobMessage) => message.job === job;
      const ends = [
        `${id} crew.notified`,
        `${again.id} job.rejected`,
        `${beyond.id} crew.notified`,
      ];
      const heard = await ears.until((messages) => {
        const names = new Set(messages.map(({ change }) => `${change.job} ${change.action}`));
        return ends.every((end) => names.has(end));
      });
      ears.close();
      const told = heard.map(({ change }) => change);
      const steps = ['job.queued', 'job.started', 'job.progressed', 'job.completed'];
      // How often progress is told depends on how fast it is.
      const heardOf = new Set(told.filter(isOf(id)).map(({ action }) => action));
      expect([...heardOf]).toEqual([...steps, 'case.opened', 'crew.notified']);
      const ofCase = told.filter(isOf(id)).find(({ action }) => action === 'case.opened');
      expect(ofCase).toMatchObject({
        subject: opened,
        data: { case: opened, urgency: 'high', location: school },
      });
      expect(told.findLast(isOf(again.id))).toMatchObject({
        action: 'job.rejected',
        error: { validator: 'duplicate' },
      });

      const journal = await journalOfJob(auditor, service, id);
      expect([...new Set(journal.map(({ action }) => action))]).toEqual(steps);
      const [queued] = journal;
      expect(queued).toMatchObject({
        actor: done.actor,
        requestId: taken.headers.get('x-request-id'),
        before: null,
        after: { type, status: 'queued', subject: done.subject },
      });
      expect(journal.at(-1)).toMatchObject({ after: { status: 'completed', result: done.result } });
    });

    it('near a hospital is critical, far from everything normal', async () => {
      const place = somewhere();
      await refer('hospitals', { type: 'Point', coordinates: coordinatesOf(moved(place, 300)) });
      const near = await endedJob(cast.reader, await enqueue(cast.reader, report(place)));
      expect(near.result).toMatchObject({ urgency: 'critical' });
      const far = await endedJob(
        cast.reader,
        await enqueue(cast.reader, report(moved(place, 9000))),
      );
      expect(far.result).toMatchObject({ urgency: 'normal' });
    });

    it('is one case when twenty report it at the same moment', async () => {
      const { reader } = cast;
      const place = somewhere();
      const reports = Array.from({ length: 20 }, () => enqueue(reader, report(place)));
      const ended = await Promise.all(
        (await Promise.all(reports)).map((job) => endedJob(reader, job)),
      );
      const [done, ...more] = ended.filter(({ status }) => status === 'completed');
      expect(more).toEqual([]);
      const rejected = ended.filter(({ status }) => status === 'rejected');
      expect(rejected).toHaveLength(19);
      for (const { error } of rejected) expect(error?.validator).toBe('duplicate');
      expect((await casesNear(place, 30)).map(({ id }) => id)).toEqual([done && caseOf(done)]);
    });

    it('is a new case when the first was closed', async () => {
      const { reader } = cast;
      const place = somewhere();
      const opened = caseOf(await endedJob(reader, await enqueue(reader, report(place))));
      const closing = { type: 'case.close', data: { case: opened, note: 'filled' } };
      const closed = await endedJob(reader, await enqueue(reader, closing));
      expect(closed).toMatchObject({ status: 'completed', result: { case: opened } });
      const { body } = await reader.call(caseOperations.getCase, { params: { case: opened } });
      expect(body).toMatchObject({ status: 'closed', closed: { note: 'filled', job: closed.id } });
      const next = caseOf(await endedJob(reader, await enqueue(reader, report(place))));
      expect((await casesNear(place, 30)).map(({ id }) => id)).toEqual([next]);
      const twice = await endedJob(reader, await enqueue(reader, closing));
      expect(twice.error).toMatchObject({ validator: 'open' });
      const unknown = { type: 'case.close', data: { case: 'CASE-999999999' } };
      const none = await endedJob(reader, await enqueue(reader, unknown));
      expect(none.error).toMatchObject({
        validator: 'open',
        message: 'there is no CASE-999999999',
      });
    });

    it('is denied with the reason of a governance rule, until that is rolled back', async () => {
      const { editor, reader } = cast;
      const policy = `governance.${type}`;
      const marker = uniqueId('closed road');
      const message = `Nothing is repaired on the ${marker}.`;
      const denying = {
        kind: 'governance',
        rules: [{ name: 'closed-road', deny: `payload.description == "${marker}"`, message }],
      };
      const told = { ...report(somewhere()).data, description: marker };
      const tried = async () => endedJob(reader, await enqueue(reader, { type, data: told }));
      await publishRule(editor, policy, { version: '1.0.0', kind: 'governance', rules: [] });
      await publishRule(editor, policy, { version: '1.1.0', ...denying });
      const denied = await tried();
      expect(denied).toMatchObject({
        status: 'rejected',
        attempts: 1,
        error: { code: 'rejected', validator: 'governance', message },
      });
      await editor.call(changeOperations.rollbackPolicy, { params: { id: policy } });
      expect(await tried()).toMatchObject({ status: 'completed' });
      // What was rejected stays so.
      const params = { job: denied.id };
      await reader.refuse(jobOperations.retryJob, { params }, 'job_not_open');
    });

    it('is rejected for a place where there is no street, and for another reporter', async () => {
      const { reader } = cast;
      const place = somewhere();
      for (const [data, validator] of [
        [{ ...place, lat: 89 }, 'location'],
        [{ lat: 0, lon: 0 }, 'location'],
        [{ ...place, reporter: 'somebody-else' }, 'identity'],
      ] as const) {
        const job = await enqueue(reader, { type, data: { description, ...data } });
        expect((await endedJob(reader, job)).error).toMatchObject({ code: 'rejected', validator });
      }
      expect(await casesNear(place, 100)).toEqual([]);
    });

    async function refer(document: string, geometry: object): Promise<void> {
      const feature = { type: 'Feature', properties: { name: 'Line 12' }, geometry };
      await cast.editor.call(referenceOperations.putReference, {
        params: { name: document },
        bytes: JSON.stringify({ type: 'FeatureCollection', features: [feature] }),
        contentType: 'application/geo+json',
      });
    }

    async function casesNear({ lat, lon }: Place, radius: number) {
      const query = { near: `${lat.toFixed(6)},${lon.toFixed(6)}`, radius };
      return (await cast.reader.call(caseOperations.findCases, { query })).body.items;
    }
  });
}

/** Where no other test has been, on land or at sea. */
function somewhere(): Place {
  return { lat: rounded(20 + Math.random() * 40), lon: rounded(-160 + Math.random() * 300) };
}

/** So many metres to the east, by the sphere of the mean radius. */
function moved({ lat, lon }: Place, metres: number): Place {
  return { lat, lon: rounded(lon + metres / (111_195 * Math.cos((lat * Math.PI) / 180))) };
}

function rounded(degrees: number): number {
  return Number(degrees.toFixed(6));
}

function coordinatesOf({ lat, lon }: Place): number[] {
  return [lon, lat];
}

/** A street from west to east, 11 m to the north of the place. */
function lineBeside(place: Place) {
  const points = [moved(place, -500), moved(place, 500)];
  const coordinates = points.map(({ lat, lon }) => [lon, lat + 0.0001]);
  return { type: 'LineString', coordinates };
}

function report(place: Place) {
  return { type, data: { ...place, description } };
}

function caseOf({ result }: JobPage): string {
  return (result as { readonly case: string }).case;
}
