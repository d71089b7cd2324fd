import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { dynamoRecords } from '../../src/adapters/aws/dynamo-records.ts';
import { eventbridgeBus } from '../../src/adapters/aws/eventbridge-bus.ts';
import { s3Blobs } from '../../src/adapters/aws/s3-blobs.ts';
import { systemClock } from '../../src/adapters/runtime/system-clock.ts';
import { allOperations } from '../../src/contract/operations/all-operations.ts';
import type { Part } from '../../src/contract/operation.ts';
import { relayAllJournals, relayJournal } from '../../src/core/journal/relay-journal.ts';
import { activateDue } from '../../src/core/policies/activate-due.ts';
import { policyEventsOf } from '../../src/core/policies/policy-events.ts';
import { createApp } from '../../src/http/app.ts';
import { changeRoutes } from '../../src/http/handlers/change-handlers.ts';
import { graphRoutes } from '../../src/http/handlers/graph-handlers.ts';
import { queryRoutes } from '../../src/http/handlers/query-handlers.ts';
import { ruleRoutes } from '../../src/http/handlers/rule-handlers.ts';
import { streamRoutes } from '../../src/http/handlers/stream-handlers.ts';
import type { Route } from '../../src/http/route.ts';
import { coreDeps, SleeplessClock } from '../support/core-deps.ts';
import { recordActions } from '../support/recorded-actions.ts';
import { type TestBucket, testBucket } from '../support/test-bucket.ts';
import { type TestTable, testTable } from '../support/test-table.ts';
import { makeTestIssuer } from '../support/tokens.ts';
import { grantedActions } from './granted-actions.ts';
import { synthStage } from './synth-stage.ts';

/** What each function calls, as recorded here, is what it may call: no more and no less. */

const issuer = makeTestIssuer();
const authorization = `Bearer ${issuer.token({ scopes: ['admin'] })}`;
const { api, events } = synthStage('prod').templates;
const clock = new SleeplessClock(Date.now());
const soon = () => new Date(clock.nowMs() + 60_000).toISOString();

let table: TestTable;
let bucket: TestBucket;
let setUp: ReturnType<typeof recordedDeps>['deps'];

beforeAll(async () => {
  table = await testTable(new DynamoDBClient());
  bucket = await testBucket(new S3Client());
  setUp = recordedDeps().deps;
});

afterAll(async () => {
  await table[Symbol.asyncDispose]();
  await bucket[Symbol.asyncDispose]();
});

function recordedDeps() {
  const client = new DynamoDBClient();
  const s3 = new S3Client();
  const eventBridge = new EventBridgeClient();
  const actions = recordActions(client);
  recordActions(s3, actions);
  recordActions(eventBridge, actions);
  const deps = {
    ...coreDeps({ clock }),
    records: dynamoRecords({ client, table: table.table, clock }),
    blobs: s3Blobs({ client: s3, bucket: bucket.bucket, clock }),
    bus: eventbridgeBus({ client: eventBridge, bus: 'default', clock }),
    verifier: issuer.verifier,
  };
  return { deps, actions };
}

type RecordedDeps = ReturnType<typeof recordedDeps>['deps'];

const routesOf: Readonly<Record<Exclude<Part, 'open'>, (deps: RecordedDeps) => Route[]>> = {
  rules: ruleRoutes,
  queries: queryRoutes,
  changes: changeRoutes,
  graph: graphRoutes,
  stream: (deps) => streamRoutes({ ...deps, clock: systemClock }, { lifeMs: 200, heartbeatMs: 50 }),
};

interface Sent {
  readonly method?: 'GET' | 'POST';
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** Sends calls to one part; each must succeed, so that all of its work is done. */
function callerOf(deps: RecordedDeps, part: Exclude<Part, 'open'>) {
  const routes = routesOf[part](deps);
  const app = createApp(deps, routes);
  const missing = new Set(routes.map(({ operation }) => operation.id));
  const call = async (operation: string, path: string, { headers, ...sent }: Sent = {}) => {
    missing.delete(operation);
    const given = { authorization, 'content-type': 'application/json', ...headers };
    const response = await app.request(path, { ...sent, headers: given });
    const text = await response.text();
    expect(response.status, `${operation}: ${text}`).toBeLessThan(300);
    return text;
  };
  return { call, missing };
}

const rule = (version: string, more = '') => `id: power\nversion: ${version}\n${more}`;
const big = `text: "${'x'.repeat(150_000)}"\n`;
const yaml = (channel: string) => ({ 'content-type': 'application/yaml', 'x-channel': channel });

async function publish(deps: RecordedDeps, channel: string, body: string): Promise<void> {
  const { call } = callerOf(deps, 'changes');
  const headers = yaml(channel);
  await call('publishPolicy', '/api/policies/power/publish', { method: 'POST', headers, body });
}

/** The calls that together do everything that a part can do. */
const scenarios: Readonly<
  Record<Exclude<Part, 'open'>, (call: ReturnType<typeof callerOf>['call']) => Promise<void>>
> = {
  async rules(call) {
    await call('getPolicy', '/api/policies/power?channel=dev');
    await call('getPolicy', '/api/policies/power');
    await call('getPolicy', `/api/policies/power?at=${soon()}`);
  },
  async queries(call) {
    const attached = JSON.parse(
      await call('listAttachments', '/api/policies/power/attachments'),
    ) as { items: [{ digest: string }] };
    await call('getAttachment', `/api/policies/power/attachments/${attached.items[0].digest}`);
    await call('listPolicies', '/api/policies');
    await call('getManifest', '/api/manifest');
    await call('getHistory', '/api/policies/power/history');
    await call('diffRules', '/api/policies/power/diff?from=dev&to=2.0.0');
    await call('listSnapshots', '/api/policies/power/snapshots');
    const accept = { accept: 'application/zip' };
    await call('getSnapshot', '/api/policies/power/snapshots/2.0.0', { headers: accept });
    await call('getSnapshot', '/api/policies/power/snapshots/2.0.0');
    await call('getAudit', '/api/audit?since=2020-01-01T00:00:00Z');
  },
  async changes(call) {
    const post = (headers: Sent['headers'], body: string) =>
      ({ method: 'POST', headers, body }) as const;
    const later = rule('3.0.0', `effective: ${soon()}\n`);
    const path = '/api/policies/power';
    await call('storeSnapshot', `${path}/snapshots`, post(yaml('dev'), rule('4.0.0')));
    await call('publishPolicy', `${path}/publish`, post(yaml('test'), rule('1.0.0')));
    await call('publishPolicy', `${path}/publish`, post(yaml('test'), rule('2.5.0')));
    await call('publishPolicy', `${path}/publish`, post(yaml('test'), later));
    await call('rollbackPolicy', `${path}/rollback`, post({ 'x-channel': 'test' }, '{}'));
    const named = JSON.stringify({ snapshot: '1.0.0', channel: 'test' });
    await call('rollbackPolicy', `${path}/rollback`, post({}, named));
    await call('promotePolicy', `${path}/promote`, post({}, '{"from":"test","to":"prod"}'));
    const pdf = { 'content-type': 'application/pdf' };
    await call('addAttachment', `${path}/attachments?name=a.pdf`, post(pdf, 'other bytes'));
  },
  async graph(call) {
    const query = (text: string) =>
      ({ method: 'POST', body: JSON.stringify({ query: text }) }) as const;
    const answer = await call('queryGraph', '/api/graphql', query('{policies{id rule}}'));
    expect(answer).toContain('xxx');
    await call('queryGraph', '/api/graphql', query('{policy(id:"power"){gen}}'));
  },
  async stream(call) {
    expect(await call('streamPolicies', '/api/stream/policies?lastEventId=-1')).toContain('retry');
  },
};

const functionIds = {
  rules: 'GetPolicyFunction',
  queries: 'QueryPoliciesFunction',
  changes: 'ChangePoliciesFunction',
  stream: 'StreamPoliciesFunction',
  graph: 'QueryGraphFunction',
} as const satisfies Record<Exclude<Part, 'open'>, string>;

describe('a function may call what it calls', () => {
  beforeAll(async () => {
    await publish(setUp, 'dev', rule('1.0.0'));
    await publish(setUp, 'prod', rule('2.0.0', big));
    await callerOf(setUp, 'changes').call(
      'addAttachment',
      '/api/policies/power/attachments?name=opinion.pdf',
      { method: 'POST', headers: { 'content-type': 'application/pdf' }, body: 'bytes' },
    );
  });

  it.each(['rules', 'queries', 'graph', 'stream', 'changes'] as const)('%s', async (part) => {
    const { deps, actions } = recordedDeps();
    const { call, missing } = callerOf(deps, part);
    await scenarios[part](call);
    expect([...missing], 'operations without a scenario').toEqual([]);
    expect([...actions].sort()).toEqual(grantedActions(api, functionIds[part]));
  });

  it('the relay', async () => {
    const { deps, actions } = recordedDeps();
    await relayJournal({ ...deps, eventsOf: policyEventsOf }, 'demo');
    expect([...actions].sort()).toEqual(grantedActions(events, 'RelayFunction'));
  });

  it('the sweep', async () => {
    await publish(setUp, 'dev', rule('5.0.0', `effective: ${soon()}\n`));
    clock.set(clock.nowMs() + 120_000);
    const { deps, actions } = recordedDeps();
    expect(await activateDue(deps)).toBe(1);
    await relayAllJournals({ ...deps, eventsOf: policyEventsOf });
    expect([...actions].sort()).toEqual(grantedActions(events, 'SweepFunction'));
  });

  it('every part that needs a token is looked at', () => {
    const parts = new Set(allOperations.filter(({ scope }) => scope !== null).map((o) => o.part));
    expect([...parts].sort()).toEqual(Object.keys(scenarios).sort());
  });
});
