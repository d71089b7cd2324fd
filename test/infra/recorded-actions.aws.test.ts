import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sharedRateLimiter } from '../../src/adapters/runtime/shared-rate-limiter.ts';
import { systemClock } from '../../src/adapters/runtime/system-clock.ts';
import { allOperations } from '../../src/contract/operations/all-operations.ts';
import type { Part } from '../../src/contract/operation.ts';
import { workerTypes } from '../../src/contract/worker-types.ts';
import { serviceGateway } from '../../src/core/gateway/service-gateway.ts';
import type { PartChecks } from '../../src/core/registry/check-parts.ts';
import { jobsPart, recordsPart, relayPart } from '../../src/core/registry/own-parts.ts';
import { createApp } from '../../src/http/app.ts';
import { caseRoutes } from '../../src/http/handlers/case-handlers.ts';
import { changeRoutes } from '../../src/http/handlers/change-handlers.ts';
import { claimRoutes } from '../../src/http/handlers/claim-handlers.ts';
import { eventRoutes, serviceSecretRoutes } from '../../src/http/handlers/event-handlers.ts';
import { gatewayRoutes } from '../../src/http/handlers/gateway-handlers.ts';
import { graphRoutes } from '../../src/http/handlers/graph-handlers.ts';
import { jobRoutes } from '../../src/http/handlers/job-handlers.ts';
import { queryRoutes } from '../../src/http/handlers/query-handlers.ts';
import { referenceRoutes } from '../../src/http/handlers/reference-handlers.ts';
import { reportRoutes } from '../../src/http/handlers/report-handlers.ts';
import { rolloutRoutes } from '../../src/http/handlers/rollout-handlers.ts';
import { ruleRoutes } from '../../src/http/handlers/rule-handlers.ts';
import { serviceRoutes } from '../../src/http/handlers/service-handlers.ts';
import { streamRoutes } from '../../src/http/handlers/stream-handlers.ts';
import { workerRoutes } from '../../src/http/handlers/worker-handlers.ts';
import type { Route } from '../../src/http/route.ts';
import type { Clock } from '../../src/ports/clock.ts';
import type { RateLimiter } from '../../src/ports/rate-limiter.ts';
import { startWebhookReceiver, type WebhookReceiver } from '../support/start-webhook-receiver.ts';
import { grantedActions } from './granted-actions.ts';
import { comparePartitions } from './granted-partitions.ts';
import { claimScenario, jobScenario, RecordedJobs, type Sent } from './recorded-jobs.ts';
import { type RecordedDeps, RecordedPlatform } from './recorded-platform.ts';
import { gatewayScenario, RecordedServices, serviceScenario } from './recorded-services.ts';
import {
  quickCanary,
  RecordedRollouts,
  scenarioFiles,
  webhookSecret,
} from './recorded-rollouts.ts';
import { synthStage } from './synth-stage.ts';

/** What each function calls, as recorded here, is what it may call: no more and no less. */

const { api } = synthStage('prod').templates;

let platform: RecordedPlatform;
let rollouts: RecordedRollouts;
let jobs: RecordedJobs;
let services: RecordedServices;
let partner: WebhookReceiver;
let setUp: RecordedDeps;

beforeAll(async () => {
  platform = await RecordedPlatform.open();
  rollouts = new RecordedRollouts(platform);
  jobs = new RecordedJobs(platform);
  services = await RecordedServices.open(platform);
  partner = await startWebhookReceiver();
  setUp = rollouts.deps;
});

afterAll(async () => {
  await partner[Symbol.asyncDispose]();
  await services[Symbol.asyncDispose]();
  await platform[Symbol.asyncDispose]();
});

const soon = () => new Date(platform.clock.nowMs() + 60_000).toISOString();

const routesOf: Readonly<Record<Exclude<Part, 'open'>, (deps: RecordedDeps) => Route[]>> = {
  rules: ruleRoutes,
  queries: queryRoutes,
  changes: changeRoutes,
  rollouts: rolloutRoutes,
  reports: reportRoutes,
  jobs: (deps) => [
    ...jobRoutes(deps),
    ...workerRoutes(deps),
    ...caseRoutes(deps),
    ...referenceRoutes(deps),
    ...eventRoutes(deps),
  ],
  claims: claimRoutes,
  services: (deps) => [
    ...serviceRoutes({ ...deps, clock: realTime(deps.clock), parts: ownParts(deps) }),
    ...serviceSecretRoutes(deps),
  ],
  gateway: (deps) => gatewayRoutes({ gateway: serviceGateway(deps) }),
  graph: graphRoutes,
  stream: (deps) => streamRoutes({ ...deps, clock: systemClock }, { lifeMs: 200, heartbeatMs: 50 }),
};

/** As `lambdas/manage-services.ts` has them. */
function ownParts(deps: RecordedDeps): PartChecks {
  return { records: recordsPart(deps), relay: relayPart(deps), jobs: jobsPart(deps, workerTypes) };
}

/** Its sleeps take their time: what waits for an answer must not be told that it is late. */
function realTime(clock: Clock): Clock {
  return {
    nowMs: () => clock.nowMs(),
    sleep: (ms, signal) => systemClock.sleep(ms, signal),
  };
}

/** They only read, and so do not count how often they are called. */
const unlimited: ReadonlySet<Part> = new Set(['rules', 'queries', 'stream', 'graph']);
/** So that every call is told. */
const rate = { perSecond: 1_000_000, burst: 20 };

function limiterOf(deps: RecordedDeps, part: Part): { readonly limiter?: RateLimiter } {
  if (unlimited.has(part)) return {};
  const limits = { tenant: rate, client: rate };
  return { limiter: sharedRateLimiter({ ...deps, clock: systemClock }, limits) };
}

/** Sends calls to one part; each must succeed, so that all of its work is done, unless it may fail. */
function callerOf(deps: RecordedDeps, part: Exclude<Part, 'open'>) {
  const routes = routesOf[part](deps);
  const app = createApp({ ...deps, ...limiterOf(deps, part) }, routes);
  const missing = new Set(routes.map(({ operation }) => operation.id));
  const call = async (
    operation: string,
    path: string,
    { headers, subject = 'ann', mayFail, ...sent }: Sent = {},
  ) => {
    missing.delete(operation);
    const authorization = `Bearer ${platform.issuer.token({ scopes: ['admin'], actor: subject })}`;
    const given = { authorization, 'content-type': 'application/json', ...headers };
    const response = await app.request(path, { ...sent, headers: given });
    const text = await response.text();
    if (mayFail === undefined) expect(response.status, `${operation}: ${text}`).toBeLessThan(300);
    return text;
  };
  return { call, missing };
}

type Call = ReturnType<typeof callerOf>['call'];

const rule = (version: string, more = '') => `id: power\nversion: ${version}\n${more}`;
const big = `text: "${'x'.repeat(150_000)}"\n`;
const yaml = (channel: string) => ({ 'content-type': 'application/yaml', 'x-channel': channel });

async function publish(deps: RecordedDeps, channel: string, body: string): Promise<void> {
  const { call } = callerOf(deps, 'changes');
  const headers = yaml(channel);
  await call('publishPolicy', '/api/policies/power/publish', { method: 'POST', headers, body });
}

/** The calls that together do everything that a part can do. */
const scenarios: Readonly<Record<Exclude<Part, 'open'>, (call: Call) => Promise<void>>> = {
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
    await call('getAudit', '/api/audit?log=jobs-0');
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
    const staged = { ...yaml('test'), 'x-rollout': 'staged' };
    await call('publishPolicy', `${path}/publish`, post(staged, rule('2.6.0')));
    const pdf = { 'content-type': 'application/pdf' };
    await call('addAttachment', `${path}/attachments?name=a.pdf`, post(pdf, 'other bytes'));
  },
  rollouts: rolloutScenario,
  reports: reportScenario,
  jobs: (call) => jobScenario(call, jobs),
  claims: (call) => claimScenario(call, jobs),
  services: (call) => serviceScenario(call, { services, jobs }),
  gateway: (call) => gatewayScenario(call, services),
  async graph(call) {
    const query = (text: string) =>
      ({ method: 'POST', body: JSON.stringify({ query: text }) }) as const;
    const answer = await call('queryGraph', '/api/graphql', query('{policies{id rule}}'));
    expect(answer).toContain('xxx');
    await call('queryGraph', '/api/graphql', query('{policy(id:"power"){gen}}'));
  },
  async stream(call) {
    const snapshot = await rollouts.store('watched', { limit: 1 });
    const run = await rollouts.create('watched', snapshot);
    await rollouts.drive(run);
    expect(await call('streamRun', `/api/runs/${run}/events`)).toContain('retry');
    expect(await call('streamPolicies', '/api/stream/policies?lastEventId=-1')).toContain('retry');
    const { id } = await jobs.openCase();
    expect(await call('streamJob', `/jobs/${id}/events`)).toContain('completed');
    expect(await call('streamJobs', '/api/stream/jobs?lastEventId=-1')).toContain('completed');
    const { event } = await services.publish('nobody');
    expect(await call('streamEvents', '/api/stream/events?lastEventId=-1')).toContain(event);
  },
};

/** Rollouts in all their states: `prod` is as the other parts expect it. */
async function rolloutScenario(call: Call): Promise<void> {
  const send = (method: 'PUT' | 'POST', body: object) =>
    ({ method, body: JSON.stringify(body) }) as const;
  const { url } = partner;
  const hook = { kind: 'webhook', url, secret: webhookSecret };
  await call('putPartner', '/api/partners/state', send('PUT', hook));
  const mail = { kind: 'email', to: ['desk@state.example'] };
  await call('putPartner', '/api/partners/county', send('PUT', mail));
  await call('getPartner', '/api/partners/state');
  await call('listPartners', '/api/partners');
  const document = JSON.parse(scenarioFiles(false)['scenarios/bots.yaml'] ?? '') as object;
  const suite = send('PUT', { ...document, policies: ['limit'] });
  await call('putSuite', '/api/simulations/bots', suite);
  await call('getSuite', '/api/simulations/bots');
  await call('listSuites', '/api/simulations');
  await call('putChannel', '/api/channels/test', send('PUT', { quorum: 0 }));
  await call('getChannel', '/api/channels/test');

  const first = await rollouts.store('limit', { limit: 35 });
  const run = async (snapshot: string, more: object = {}) => {
    const body = { policies: [{ id: 'limit', snapshot }], canary: false, ...more };
    const made = JSON.parse(await call('createRun', '/api/runs', send('POST', body))) as {
      run: number;
    };
    return made.run;
  };
  const told = await run(first, { partners: ['state'] });
  expect(await rollouts.drive(told)).toBe('notified');
  const deliveries = await call('listDeliveries', `/api/runs/${told}/deliveries`);
  const { items } = JSON.parse(deliveries) as { items: [{ id: string }] };
  await call('redeliver', `/api/deliveries/${items[0].id}/redeliver`, { method: 'POST' });
  await call('listRuns', '/api/runs');
  await call('getRun', `/api/runs/${told}`);

  const second = await rollouts.store('limit', { version: '1.1.0', limit: 36 });
  const asked = await run(second, { approval: true });
  expect(await rollouts.drive(asked)).toBe('approve');
  await rollouts.askFor(asked);
  await call('listTickets', '/api/tickets');
  await call('getTicket', `/api/tickets/run-${asked}-approval`);
  const approve = { ...send('POST', { decision: 'approve' }), subject: 'bob' };
  await call('decideTicket', `/api/tickets/run-${asked}-approval/decision`, approve);
  expect(await rollouts.release(asked)).toBe('notified');
  // One that has changed nothing yet, and one that is in force already.
  const third = await rollouts.store('limit', { version: '1.2.0', limit: 37 });
  for (const release of [false, true]) {
    const aborted = await run(third);
    if (release) await rollouts.releaseSilently(aborted);
    await call('abortRun', `/api/runs/${aborted}/abort`, send('POST', { reason: 'smoke' }));
  }
  await call('deletePartner', '/api/partners/state', { method: 'DELETE' });
}

async function reportScenario(call: Call): Promise<void> {
  const before = await rollouts.store('smoke', { limit: 35 });
  expect(await rollouts.drive(await rollouts.create('smoke', before))).toBe('notified');
  const after = await rollouts.store('smoke', { version: '1.1.0', limit: 36 });
  const run = await rollouts.create('smoke', after, { canary: quickCanary });
  expect(await rollouts.drive(run)).toBe('observing');
  const post = (body: object) => ({ method: 'POST', body: JSON.stringify(body) }) as const;
  const about = (snapshot: string) => ({ policy: 'smoke', snapshot });
  for (const snapshot of [before, after]) {
    const alert = { fingerprint: 'f', severity: 'warning', message: 'smoke' };
    await call('reportAlert', '/api/alerts', post({ ...about(snapshot), ...alert }));
    const receipt = { status: 'applied', decisions: 7 };
    await call('reportReceipts', '/api/receipts', post({ ...about(snapshot), ...receipt }));
  }
  await call('getConvergence', '/api/policies/smoke/convergence');
}

const functionIds = {
  rules: 'GetPolicyFunction',
  queries: 'QueryPoliciesFunction',
  changes: 'ChangePoliciesFunction',
  rollouts: 'ManageRolloutsFunction',
  reports: 'TakeReportsFunction',
  jobs: 'ManageJobsFunction',
  claims: 'FileClaimsFunction',
  services: 'ManageServicesFunction',
  gateway: 'CallServiceFunction',
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

  it.each([
    'rules',
    'queries',
    'graph',
    'stream',
    'changes',
    'rollouts',
    'reports',
    'jobs',
    'claims',
    'services',
    'gateway',
  ] as const)('%s', async (part) => {
    const { deps, actions, partitions } = platform.deps();
    const { call, missing } = callerOf(deps, part);
    await scenarios[part](call);
    expect([...missing], 'operations without a scenario').toEqual([]);
    // Nobody waits for the limiter.
    await expect.poll(() => [...actions].sort()).toEqual(grantedActions(api, functionIds[part]));
    const compared = comparePartitions(api, functionIds[part], partitions);
    expect(compared).toEqual({ missing: [], unused: [] });
  });

  it('every part that needs a token is looked at', () => {
    const guarded = new Set(allOperations.filter(({ scope }) => scope !== null).map((o) => o.part));
    expect([...guarded].sort()).toEqual(Object.keys(scenarios).sort());
  });
});
