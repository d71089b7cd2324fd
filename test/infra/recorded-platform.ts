import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { S3Client } from '@aws-sdk/client-s3';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { CreateEmailIdentityCommand, SESv2Client } from '@aws-sdk/client-sesv2';
import {
  CreateStateMachineCommand,
  DeleteStateMachineCommand,
  SFNClient,
  StopExecutionCommand,
} from '@aws-sdk/client-sfn';
import { SQSClient } from '@aws-sdk/client-sqs';
import { dynamoRecords } from '../../src/adapters/aws/dynamo-records.ts';
import { eventbridgeBus } from '../../src/adapters/aws/eventbridge-bus.ts';
import { s3Blobs } from '../../src/adapters/aws/s3-blobs.ts';
import { s3UploadGate } from '../../src/adapters/aws/s3-upload-gate.ts';
import { secretsManagerSecrets } from '../../src/adapters/aws/secrets-manager-secrets.ts';
import { sesTransport } from '../../src/adapters/aws/ses-transport.ts';
import { sfnWorkflows } from '../../src/adapters/aws/sfn-workflows.ts';
import { type JobQueueUrls, sqsJobQueue } from '../../src/adapters/aws/sqs-job-queue.ts';
import { httpHealthProbe } from '../../src/adapters/runtime/http-health-probe.ts';
import { httpServiceCaller } from '../../src/adapters/runtime/http-service-caller.ts';
import { sftpTransport } from '../../src/adapters/runtime/sftp-transport.ts';
import { webhookTransport } from '../../src/adapters/runtime/webhook-transport.ts';
import { governanceVet } from '../../src/compose/governance-vet.ts';
import { jobWorkers } from '../../src/compose/job-workers.ts';
import { workerTypes } from '../../src/contract/worker-types.ts';
import { commitLanes } from '../../src/core/journal/commit-lanes.ts';
import { transportByKind } from '../../src/core/partners/transport-by-kind.ts';
import { processName } from '../../src/core/rollouts/run-keys.ts';
import type { RunRef } from '../../src/core/rollouts/rollout-tasks.ts';
import { coreDeps, SleeplessClock } from '../support/core-deps.ts';
import { emulatedJobQueues } from '../support/emulated-job-queues.ts';
import { recordActions } from '../support/recorded-actions.ts';
import { recordPartitions } from '../support/recorded-partitions.ts';
import { testBucket } from '../support/test-bucket.ts';
import { testTable } from '../support/test-table.ts';
import { makeTestIssuer } from '../support/tokens.ts';

export type RecordedDeps = ReturnType<RecordedPlatform['deps']>['deps'];

const from = 'rules@agency.example';
const networks = { allowPrivate: true };

/** Whoever starts it, it waits: tests do what its tasks do. */
const definition = JSON.stringify({
  StartAt: 'Wait',
  States: { Wait: { Type: 'Wait', Seconds: 3600, End: true } },
});

/** All that our functions call, on the emulator, under names of their own, until disposed of. */
export class RecordedPlatform implements AsyncDisposable {
  readonly clock = new SleeplessClock(Date.now());
  readonly issuer = makeTestIssuer();
  readonly #table: string;
  readonly #bucket: string;
  readonly #stateMachineArn: string;
  readonly #queues: JobQueueUrls;
  readonly #secretsPrefix = `test-${crypto.randomUUID()}`;
  readonly #cleanup: AsyncDisposableStack;

  private constructor(names: {
    readonly table: string;
    readonly bucket: string;
    readonly stateMachineArn: string;
    readonly queues: JobQueueUrls;
    readonly cleanup: AsyncDisposableStack;
  }) {
    this.#table = names.table;
    this.#bucket = names.bucket;
    this.#stateMachineArn = names.stateMachineArn;
    this.#queues = names.queues;
    this.#cleanup = names.cleanup;
  }

  static async open(): Promise<RecordedPlatform> {
    await using cleanup = new AsyncDisposableStack();
    const { table } = cleanup.use(await testTable(new DynamoDBClient()));
    const { bucket } = cleanup.use(await testBucket(new S3Client()));
    const sfn = new SFNClient();
    const name = `test-${crypto.randomUUID()}`;
    const roleArn = 'arn:aws:iam::000000000000:role/test';
    const made = await sfn.send(new CreateStateMachineCommand({ name, definition, roleArn }));
    cleanup.defer(async () => void (await sfn.send(new DeleteStateMachineCommand(made))));
    await new SESv2Client().send(new CreateEmailIdentityCommand({ EmailIdentity: from }));
    const { stateMachineArn = '' } = made;
    const { queues } = cleanup.use(await emulatedJobQueues(new SQSClient(), workerTypes));
    const names = { table, bucket, stateMachineArn, queues };
    return new RecordedPlatform({ ...names, cleanup: cleanup.move() });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#cleanup.disposeAsync();
  }

  /** Those of one function: `actions` names what they call, `partitions` of the table what for. */
  deps() {
    const { clock, issuer } = this;
    const actions = new Set<string>();
    const dynamo = new DynamoDBClient();
    const s3 = new S3Client();
    const eventBridge = new EventBridgeClient();
    const sfn = new SFNClient();
    const secretsManager = new SecretsManagerClient();
    const ses = new SESv2Client();
    const sqs = new SQSClient();
    for (const client of [dynamo, s3, eventBridge, sfn, secretsManager, ses, sqs]) {
      recordActions(client, actions);
    }
    const partitions = recordPartitions(dynamo);
    const records = dynamoRecords({ client: dynamo, table: this.#table, clock });
    const blobs = s3Blobs({ client: s3, bucket: this.#bucket, clock });
    const core = coreDeps({ clock });
    const base = {
      ...core,
      records,
      blobs,
      secrets: secretsManagerSecrets({
        client: secretsManager,
        prefix: this.#secretsPrefix,
        clock,
      }),
      partners: transportByKind({
        webhook: webhookTransport({ networks }),
        sftp: sftpTransport({ networks }),
        email: sesTransport({ client: ses, from }),
      }),
    };
    const caller = httpServiceCaller({ networks });
    this.#cleanup.defer(() => caller.close());
    const deps = {
      ...base,
      probe: httpHealthProbe({ networks }),
      caller,
      uploads: s3UploadGate({ client: s3, bucket: this.#bucket, clock }),
      queue: sqsJobQueue({ client: sqs, queues: this.#queues, clock }),
      lanes: commitLanes(base),
      workers: jobWorkers(base),
      vet: governanceVet(base, 'allow'),
      workerName: `hms-worker/${core.ids.next()}`,
      bus: eventbridgeBus({ client: eventBridge, bus: 'default', clock }),
      verifier: issuer.verifier,
      workflows: sfnWorkflows({ client: sfn, stateMachineArn: this.#stateMachineArn }),
    };
    return { deps, actions, partitions };
  }

  /** As someone would in the console. */
  async stopProcess(ref: RunRef): Promise<void> {
    const executions = this.#stateMachineArn.replace(':stateMachine:', ':execution:');
    const executionArn = `${executions}:${processName(ref)}`;
    await new SFNClient().send(new StopExecutionCommand({ executionArn }));
  }
}
