import { createHash } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { allOperations } from '../../src/contract/operations/all-operations.ts';
import { changeOperations } from '../../src/contract/operations/change-operations.ts';
import { publishRule, readRule, useCast } from '../support/cast.ts';
import { partnerOperations } from '../../src/contract/operations/partner-operations.ts';
import { serviceOperations } from '../../src/contract/operations/service-operations.ts';
import { rolloutOperations } from '../../src/contract/operations/rollout-operations.ts';
import {
  type DocumentedCall,
  documentedCalls,
  requestFor,
  unusedNames,
  type Values,
} from '../support/documented-calls.ts';
import { openStream } from '../support/event-stream.ts';
import { haveJobsDone } from '../support/have-jobs-done.ts';
import { packageOf, ruleYaml, uniqueId } from '../support/policy-documents.ts';
import type { Service, StartService } from '../support/service.ts';
import { clientFor, serviceClient, type ServiceClient } from '../support/service-client.ts';
import { settled } from '../support/settled.ts';

/** What makes a list show all that there is. */
const wholeLists: ReadonlyMap<string, string> = new Map([
  ['/api/audit', '?limit=200&order=desc'],
  ['/services', '?all=true'],
]);

/** Of an id that exists nowhere in the tenant, these make one. */
const makers = new Set([
  'publishPolicy',
  'storeSnapshot',
  'putPartner',
  'putSuite',
  'putReference',
  'putService',
]);

/** About what every tenant has. */
const common = new Set(['getChannel', 'putChannel']);

export function describeIsolation(name: string, start: StartService): void {
  describe(`${name}: tenants`, () => {
    const cast = useCast(start);
    let calls: readonly DocumentedCall[];
    beforeAll(async () => {
      calls = await documentedCalls(cast.service.baseUrl);
    });

    it('documents every operation, each with the scope that it needs', () => {
      const documented = calls.map(({ operationId, scopes }) => `${operationId} ${scopes.join()}`);
      const contracted = allOperations.map(
        ({ id, scope }) => `${id} ${scope === null ? '' : `hms/${scope}`}`,
      );
      expect(documented.sort()).toEqual(contracted.sort());
    });

    it('tells others the same of what a tenant has as of what nobody has', async () => {
      const values = valuesFor(uniqueId('secret'));
      const admin = await clientFor(cast.service, 'demo-admin');
      Object.assign(values, await namesOfNextRuns(admin));
      const spoken = calls.filter(
        ({ operationId, path, scopes }) =>
          path.includes('{') && scopes.length > 0 && !common.has(operationId),
      );
      const strangers = await strangersOf(cast.service);
      const askAll = async () => {
        const answers: Record<string, unknown> = {};
        for (const [who, stranger] of Object.entries(strangers)) {
          for (const call of spoken) {
            if (who === 'admin' && makers.has(call.operationId)) continue;
            answers[`${who} ${call.operationId}`] = await shown(stranger, call, values);
          }
        }
        return answers;
      };
      const ofNobody = await askAll();
      await possess(cast.editor, values);
      values.delivery = await rollOut(admin, cast.editor, values);
      Object.assign(values, await haveJobsDone(admin, values));
      await settled(cast.service, () => readRule(cast.reader, values.id));
      const ofATenant = await askAll();
      expect(Object.keys(ofATenant).length).toBeGreaterThanOrEqual(spoken.length);
      expect(ofATenant).toEqual(ofNobody);
      for (const [call, answer] of Object.entries(ofNobody)) {
        expect((answer as { status: number }).status, call).toSatisfy(
          (status: number) =>
            status === 404 || ([401, 403].includes(status) && call.startsWith('service')),
        );
      }
      // For who it belongs to, the very same calls find it; test/e2e/housing.test.ts calls services.
      const found = spoken.filter(({ path }) => !path.startsWith('/svc/'));
      for (const call of found.toSorted((a, b) => lateness(a) - lateness(b))) {
        const { method, path, init } = requestFor(call, values);
        expect((await admin.fetch(method, path, init)).status, call.operationId).not.toBe(404);
      }
    });

    it('leaves what a tenant has untouched when another uses the same names', async () => {
      const { forge, baseUrl } = cast.service;
      if (forge === undefined) return;
      const id = uniqueId('same-name');
      const { body: held } = await publishRule(cast.editor, id, { of: 'demo' });
      const other = serviceClient(baseUrl, await forge(otherAdmin));
      expect((await publishRule(other, id, { of: 'other' })).body).toMatchObject({ gen: 1 });
      expect((await readRule(other, id)).body['of']).toBe('other');
      const mine = await readRule(cast.reader, id);
      expect(mine.body['of']).toBe('demo');
      expect(mine.headers.get('etag')).toBe(`"${held.snapshot}"`);
      const input = { params: { id }, json: { snapshot: held.snapshot } };
      await other.refuse(changeOperations.rollbackPolicy, input, 'not_found');
    });

    it('shows nothing of a tenant in the lists and slices of another', async () => {
      const values = valuesFor(uniqueId('unlisted'));
      const admin = await clientFor(cast.service, 'demo-admin');
      Object.assign(values, await namesOfNextRuns(admin));
      await possess(cast.editor, values);
      await rollOut(admin, cast.editor, values);
      Object.assign(values, await haveJobsDone(admin, values));
      const lists = calls.filter(
        ({ operationId, method, path, scopes }) =>
          (method === 'GET' || operationId === 'queryGraph') &&
          !path.includes('{') &&
          scopes.length > 0 &&
          !path.includes('stream'),
      );
      expect(lists.map(({ operationId }) => operationId).sort()).toEqual([
        'findCases',
        'getAudit',
        'getHealth',
        'getManifest',
        'listClaims',
        'listJobs',
        'listPartners',
        'listPolicies',
        'listReferences',
        'listRuns',
        'listServices',
        'listSuites',
        'listTickets',
        'queryGraph',
      ]);
      for (const call of lists) {
        const { method, path, init } = requestFor(call, values);
        const mark = call.operationId === 'findCases' ? `"${values.case}"` : values.id;
        const whole = path + (wholeLists.get(path) ?? '');
        for (const stranger of Object.values(await strangersOf(cast.service))) {
          const { text } = await stranger.fetch(method, whole, init);
          expect(text, call.operationId).not.toContain(mark);
        }
        const seen = await admin.fetch(method, whole, init);
        if (!path.includes('policies')) expect(seen.text, call.operationId).toContain(mark);
      }
    });

    it('streams nothing of a tenant to another', async () => {
      const { baseUrl, token } = cast.service;
      const ids = [uniqueId('unheard'), uniqueId('unheard')];
      await publishRule(cast.editor, ids[0] ?? '');
      const stream = await openStream(baseUrl, await token('other-service'), {
        lastEventId: '-1',
      });
      await publishRule(cast.editor, ids[1] ?? '');
      await new Promise((resolve) => setTimeout(resolve, 300));
      expect(stream.messages.filter(({ change }) => change.tenant !== 'other')).toEqual([]);
      stream.close();
    });

    it('takes no longer to hide what is there than to miss what is not', async () => {
      if (cast.service.behindGateway) return;
      const id = uniqueId('timed');
      await publishRule(cast.editor, id, { padding: 'x'.repeat(50_000) });
      const times = { there: [] as number[], missing: [] as number[] };
      for (let round = 0; round < 150; round++) {
        const there = await cast.stranger.fetch('GET', `/api/policies/${id}`);
        const missing = await cast.stranger.fetch('GET', `/api/policies/${id.slice(0, -1)}x`);
        times.there.push(there.elapsedMs);
        times.missing.push(missing.elapsedMs);
      }
      // Of interleaved calls: what slows the machine down slows both.
      expect(median(times.there)).toBeLessThan(2 * median(times.missing) + 1);
    });
  });
}

/** So that the policy is a single rule as well. */
const aValue = { value: 80 };

const otherAdmin = { tenant: 'other', client_id: 'other-admin', scope: 'hms/admin' };

/** Those of another tenant: its service and, where one can be made, its admin. */
async function strangersOf(service: Service): Promise<Readonly<Record<string, ServiceClient>>> {
  const { forge, baseUrl } = service;
  return {
    service: await clientFor(service, 'other-service'),
    ...(forge === undefined ? {} : { admin: serviceClient(baseUrl, await forge(otherAdmin)) }),
  };
}

/** Names that can be told before anything is stored: they are digests, or chosen. */
function valuesFor(id: string): { -readonly [Name in keyof Values]: Values[Name] } {
  const digest = (bytes: string | Uint8Array) =>
    `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
  return {
    ...unusedNames,
    id,
    snapshot: digest(packageOf(ruleYaml(id, aValue))),
    digest: digest(`about ${id}`),
    suite: id,
    name: id,
    rule: id,
  };
}

/** Runs are numbered: so what `rollOut` makes can be told beforehand. */
async function namesOfNextRuns(admin: ServiceClient): Promise<{ run: string; ticket: string }> {
  const { body } = await admin.call(rolloutOperations.listRuns, { query: { limit: 1 } });
  const run = (body.items[0]?.run ?? 0) + 2;
  return { run: `${run}`, ticket: `run-${run}-approval` };
}

/**
 * Makes a suite, a partner, a run that has told it, and one that waits for people. Answers the
 * delivery.
 */
async function rollOut(
  admin: ServiceClient,
  editor: ServiceClient,
  { id, run, suite = '', name = '' }: Values,
): Promise<string> {
  const named = { params: { suite, name } };
  const scenarios = [{ name: 'one', input: {}, recorded: 'yes' }];
  const document = { policies: [id], decision: '"yes"', scenarios };
  await editor.call(rolloutOperations.putSuite, { ...named, json: document });
  const mail = { kind: 'email', to: ['air@state.example'] };
  await admin.call(partnerOperations.putPartner, { ...named, json: mail });
  await admin.call(serviceOperations.putService, {
    ...named,
    json: { name, url: 'https://service.example' },
  });
  const store = async (limit: number): Promise<string> => {
    const { body } = await editor.call(changeOperations.storeSnapshot, {
      params: { id },
      bytes: packageOf(ruleYaml(id, { version: `2.0.${limit}`, limit, ...aValue })),
      contentType: 'application/zip',
    });
    return body.snapshot;
  };
  const create = async (limit: number, more: object): Promise<string> => {
    const policies = [{ id, snapshot: await store(limit) }];
    const json = { policies, canary: null, ...more };
    const { body } = await editor.call(rolloutOperations.createRun, { json });
    return `${body.run}`;
  };
  const told = await create(1, { partners: [name] });
  const delivery = await expect
    .poll(
      async () => {
        const input = { params: { run: told } };
        const { body } = await admin.call(partnerOperations.listDeliveries, input);
        return body.items[0]?.id ?? '';
      },
      { timeout: 30_000, interval: 200 },
    )
    .not.toBe('')
    .then(async () => {
      const { body } = await admin.call(partnerOperations.listDeliveries, {
        params: { run: told },
      });
      return body.items[0]?.id ?? '';
    });
  expect(await create(2, { approval: true })).toBe(run);
  await expect
    .poll(
      async () => {
        const { body } = await admin.call(rolloutOperations.getRun, { params: { run: run ?? '' } });
        return body.ticket;
      },
      { timeout: 30_000, interval: 200 },
    )
    .not.toBeNull();
  return delivery;
}

/** A stream ends when its run or job has, and what is deleted is not found any more. */
function lateness({ method, path }: DocumentedCall): number {
  if (path.endsWith('/events')) return 1;
  if (path.endsWith('/retry')) return 2;
  return method === 'DELETE' ? 3 : 0;
}

/** Makes all that the values name, in every channel. */
async function possess(editor: ServiceClient, { id, snapshot, digest }: Values): Promise<void> {
  for (const channel of ['dev', 'test', 'prod']) {
    const { body } = await editor.call(changeOperations.publishPolicy, {
      params: { id },
      headers: { 'x-channel': channel },
      bytes: packageOf(ruleYaml(id, aValue)),
      contentType: 'application/zip',
    });
    expect(body.digest).toBe(snapshot);
  }
  const { body } = await editor.call(changeOperations.addAttachment, {
    params: { id },
    query: { name: 'a.txt' },
    bytes: `about ${id}`,
  });
  expect(body.digest).toBe(digest);
}

/** All that a caller sees of an answer. */
async function shown(client: ServiceClient, call: DocumentedCall, values: Values) {
  const { method, path, init } = requestFor(call, values);
  const headers = { ...(init.headers as Record<string, string>), 'x-request-id': 'the-same' };
  const answer = await client.fetch(method, path, { ...init, headers });
  // Among them, what a server says of the connection: it may close one after any call.
  const notOurs = /^(?:date|connection|keep-alive|x-amz.*|apigw.*)$/;
  const ours = [...answer.headers].filter(([name]) => !notOurs.test(name));
  // Where API Gateway answers, the request id is its own.
  const text = answer.text.replace(/"requestId":"[^"]+"/, '');
  return { status: answer.status, headers: ours, text };
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}
