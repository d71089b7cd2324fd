import { ApiGatewayManagementApiClient } from '@aws-sdk/client-apigatewaymanagementapi';
import { CreateQueueCommand, DeleteQueueCommand, SQSClient } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { gatewayPoster } from '../../src/adapters/aws/gateway-poster.ts';
import { sqsPushQueue } from '../../src/adapters/aws/sqs-push-queue.ts';
import { commitTogether } from '../../src/core/journal/commit.ts';
import { publishPolicy } from '../../src/core/policies/publish-policy.ts';
import { answerFrame } from '../../src/core/push/answer-frame.ts';
import { doPushTasks } from '../../src/core/push/do-push-tasks.ts';
import type { ClientFrame } from '../../src/core/push/push-frames.ts';
import { findConnection } from '../../src/core/push/push-connection.ts';
import { shardOf } from '../../src/core/push/push-keys.ts';
import { issueTicket } from '../../src/core/push/tickets.ts';
import { gatewayFrames } from '../../src/http/websocket/gateway-frames.ts';
import type { PushTask } from '../../src/ports/push-queue.ts';
import { type EmulatedGateway, emulatedGateway } from '../support/emulated-gateway.ts';
import { ruleYaml } from '../support/policy-documents.ts';
import { recordActions } from '../support/recorded-actions.ts';
import { counting, origin } from '../unit/journal/notes.ts';
import { grantedActions } from './granted-actions.ts';
import { RecordedPlatform } from './recorded-platform.ts';
import { synthStage } from './synth-stage.ts';

/** What each function of WebSockets calls, as recorded here, is what it may call: no more and no less. */

const { push: template } = synthStage('prod').templates;

const sqs = new SQSClient();
let platform: RecordedPlatform;
let gateway: EmulatedGateway;
let queueUrl: string;

beforeAll(async () => {
  platform = await RecordedPlatform.open();
  gateway = await emulatedGateway();
  const created = await sqs.send(
    new CreateQueueCommand({
      QueueName: `test-${crypto.randomUUID()}.fifo`,
      Attributes: { FifoQueue: 'true', DeduplicationScope: 'messageGroup' },
    }),
  );
  queueUrl = created.QueueUrl ?? '';
});

afterAll(async () => {
  await sqs.send(new DeleteQueueCommand({ QueueUrl: queueUrl }));
  await gateway[Symbol.asyncDispose]();
  await platform[Symbol.asyncDispose]();
});

/** Those of one function. */
function pushDeps() {
  const { deps, actions } = platform.deps();
  const management = new ApiGatewayManagementApiClient({ endpoint: gateway.endpoint });
  const client = new SQSClient();
  // None of its calls takes just any object.
  recordActions(management as unknown as SQSClient, actions);
  recordActions(client, actions);
  const poster = gatewayPoster({ client: management });
  const pushQueue = sqsPushQueue({ client, queueUrl, clock: platform.clock });
  return { deps: { ...deps, poster, pushQueue }, actions };
}

async function freshTicket(): Promise<string> {
  const { deps } = pushDeps();
  const { ticket } = await issueTicket(deps, {
    tenant: 'demo',
    actor: 'demo-service',
    scopes: new Set(['admin']),
    subject: 'demo-service',
    region: undefined,
    expiresAtMs: platform.clock.nowMs() + 3_600_000,
  });
  return ticket;
}

/** Takes on a connection that the gateway knows nothing of. */
async function connected(connection: string): Promise<void> {
  const { connect } = gatewayFrames(pushDeps().deps);
  expect(await connect(connection, await freshTicket())).toBe(200);
}

const subscribe: ClientFrame = { type: 'subscribe', subscription: 'all', topic: 'jobs' };

it('who answers frames may call what it calls', async () => {
  const { deps, actions } = pushDeps();
  const frames = gatewayFrames(deps);
  expect(await frames.connect('frames=', await freshTicket())).toBe(200);
  for (const frame of [subscribe, { type: 'ping' }]) {
    await frames.message('frames=', JSON.stringify(frame));
  }
  await frames.disconnect('frames=');
  expect([...actions].sort()).toEqual(grantedActions(template, 'AnswerFramesFunction'));
});

it('who tells of changes may call what it calls', async () => {
  const { deps, actions } = pushDeps();
  const { deps: others } = pushDeps();
  const grow = (count: number) =>
    commitTogether(
      others,
      'demo',
      Array.from({ length: count }, () => counting(others, crypto.randomUUID())),
    );
  await connected('changes=');
  await grow(120);
  const frame = { type: 'subscribe', subscription: 'all', topic: 'policies', after: '-1' } as const;
  await answerFrame(others, 'changes=', frame);
  const shard = shardOf('demo', 'changes=');
  const task = (id: string, kind: object) => ({ ...shard, id, ...kind }) as PushTask;
  const joined = { kind: 'joined', connection: 'changes=', subscription: 'all' };
  // It catches up, in two steps, as if it were there; then it is found to be gone.
  const there = { ...deps, poster: { ...deps.poster, post: async () => 'sent' as const } };
  expect(await doPushTasks(there, [task('1', joined)])).toEqual([]);
  expect(await doPushTasks(there, [task('2', joined)])).toEqual([]);
  await publishPolicy(others, origin, {
    lane: { tenant: 'demo', id: 'p', channel: 'prod' },
    upload: { form: 'yaml', bytes: Buffer.from(ruleYaml('p')) },
    guard: null,
    reason: null,
  });
  expect(await doPushTasks(deps, [task('3', { kind: 'grown', log: 'main' })])).toEqual([]);
  expect(await findConnection(others, 'changes=')).toBeNull();
  expect([...actions].sort()).toEqual(grantedActions(template, 'PushChangesFunction'));
});
