import { createHash } from 'node:crypto';
import { DeleteObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import {
  GetQueueAttributesCommand,
  PurgeQueueCommand,
  ReceiveMessageCommand,
  SendMessageBatchCommand,
  SetQueueAttributesCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { blobObjectKey } from '../../src/adapters/aws/blob-object-key.ts';
import { jobOperations } from '../../src/contract/operations/job-operations.ts';
import { referenceOperations } from '../../src/contract/operations/reference-operations.ts';
import { deployedOutput, deployedService } from '../support/deployed-service.ts';
import { endedJob, enqueue, jobUntil } from '../support/job-calls.ts';
import { uniqueId } from '../support/policy-documents.ts';
import { clientFor, type ServiceClient } from '../support/service-client.ts';

const { listJobs, retryJob } = jobOperations;
/** Its turn ends at once: there is nothing to do. */
const noJob = '01a1fa1c-4906-7065-9f47-fcf9f8ab7a80';
const patience = { timeout: 60_000, interval: 250 };

describe('deployed: what a worker function cannot do', () => {
  const sqs = new SQSClient({});
  const s3 = new S3Client({ forcePathStyle: true });
  let reader: ServiceClient;
  let editor: ServiceClient;
  beforeAll(async () => {
    const service = await deployedService();
    reader = await clientFor(service, 'demo-service');
    editor = await clientFor(service, 'demo-editor');
  });
  afterAll(() => {
    sqs.destroy();
    s3.destroy();
  });

  it(
    'of a batch stays in the queue alone, and is put aside in the end',
    { timeout: 120_000 },
    async () => {
      const queueUrl = await deployedOutput('JobQueueUrlCaseCloseLow');
      const deadUrl = await deployedOutput('JobDeadLettersUrlCaseClose');
      await sqs.send(new PurgeQueueCommand({ QueueUrl: deadUrl }));
      await hurry(queueUrl, deadUrl);
      // Their own messages come when those of the batch have been.
      const job = { type: 'case.close', priority: 'low', delaySeconds: 1 };
      const ids: string[] = [];
      for (let n = 1; n <= 5; n++) {
        ids.push(await enqueue(reader, { ...job, data: { case: `CASE-99999999${n}` } }));
      }
      await Promise.all(
        ids.map(async (id) => jobUntil(reader, id, (page) => isPast(page.nextAttemptAt))),
      );
      const garbage = ['not a job', '{"tenant":"demo","type":"case.close"}', '{"type":"no.such"}'];
      const turns = [...ids, noJob].map((id) =>
        JSON.stringify({ tenant: 'demo', type: 'case.close', id }),
      );
      const [first = '', ...more] = garbage;
      const bodies = [first, ...turns, ...more];
      const Entries = bodies.map((MessageBody, n) => ({ Id: `${n}`, MessageBody }));
      await sqs.send(new SendMessageBatchCommand({ QueueUrl: queueUrl, Entries }));

      for (const id of ids) {
        const ended = await endedJob(reader, id);
        expect(ended).toMatchObject({
          status: 'rejected',
          attempts: 1,
          error: { validator: 'open' },
        });
      }
      const dead: string[] = [];
      const collect = async () => {
        dead.push(...(await receive(deadUrl)));
        return dead.toSorted();
      };
      await expect.poll(collect, patience).toEqual(garbage.toSorted());
      await expect.poll(async () => depthOf(queueUrl), patience).toBe(0);
      expect(await receive(deadUrl)).toEqual([]);
    },
  );

  it(
    'comes back after a while, dies, and is done when a person has it retried',
    { timeout: 180_000 },
    async () => {
      const name = 'hospitals';
      const bytes = Buffer.from(JSON.stringify(areaOf(uniqueId('hospital'))));
      const digest = createHash('sha256').update(bytes).digest('hex');
      const object = {
        Bucket: await deployedOutput('BucketName'),
        Key: blobObjectKey({ tenant: 'demo', digest }),
      };
      const contentType = 'application/geo+json';
      await editor.call(referenceOperations.putReference, { params: { name }, bytes, contentType });
      // What no caller can do: the worker throws, as one whose disk is broken.
      await s3.send(new DeleteObjectCommand(object));
      const restore = async () =>
        void (await s3.send(new PutObjectCommand({ ...object, Body: bytes })));
      onTestFinished(restore);

      const place = { lat: 20 + Math.random() * 40, lon: -100 + Math.random() * 30 };
      const type = 'pothole.report';
      const data = { ...place, description: 'A hole' };
      const id = await enqueue(reader, { type, data, maxAttempts: 3 });
      const dead = await endedJob(reader, id);
      expect(dead).toMatchObject({
        status: 'dead',
        attempts: 3,
        error: { code: 'handler_failed' },
      });
      const times = dead.history.map(({ status, at }) => [status, Date.parse(at)] as const);
      expect(times.map(([status]) => status)).toEqual([
        'queued',
        'processing',
        'failed',
        'processing',
        'failed',
        'processing',
        'dead',
      ]);
      // Half of 1 s and of 2 s at least.
      const waits = [3, 5].map((at) => Number(times[at]?.[1]) - Number(times[at - 1]?.[1]));
      expect(waits[0]).toBeGreaterThanOrEqual(500);
      expect(waits[1]).toBeGreaterThanOrEqual(1000);
      const query = { status: 'dead', type, limit: 200 };
      const { body: list } = await reader.call(listJobs, { query });
      expect(list.items.map((item) => item.id)).toContain(id);
      // The queue has no part in it: its message is gone.
      const queueUrl = await deployedOutput('JobQueueUrlPotholeReportNormal');
      await expect.poll(async () => depthOf(queueUrl), patience).toBe(0);
      expect(await receive(await deployedOutput('JobDeadLettersUrlPotholeReport'))).toEqual([]);

      await restore();
      const json = { reason: 'the disk was mended' };
      const retried = await reader.call(retryJob, { params: { job: id }, json });
      expect(retried.body).toMatchObject({ status: 'queued', attempts: 0 });
      const done = await endedJob(reader, id);
      expect(done).toMatchObject({ status: 'completed', attempts: 1, error: null });
      const after = await reader.call(listJobs, { query });
      expect(after.body.items.map((item) => item.id)).not.toContain(id);
    },
  );

  /** Until the test has finished, a message comes back after a second, and three times at most. */
  async function hurry(queueUrl: string, deadUrl: string): Promise<void> {
    const QueueUrl = queueUrl;
    const names = ['VisibilityTimeout', 'RedrivePolicy'] as const;
    const was = await attributesOf(queueUrl, [...names]);
    const { QueueArn } = await attributesOf(deadUrl, ['QueueArn']);
    const RedrivePolicy = JSON.stringify({ deadLetterTargetArn: QueueArn, maxReceiveCount: 3 });
    const Attributes = { VisibilityTimeout: '1', RedrivePolicy };
    await sqs.send(new SetQueueAttributesCommand({ QueueUrl, Attributes }));
    onTestFinished(async () => {
      const { VisibilityTimeout = '30', RedrivePolicy: policy = '' } = was;
      const restored = { VisibilityTimeout, RedrivePolicy: policy };
      await sqs.send(new SetQueueAttributesCommand({ QueueUrl, Attributes: restored }));
    });
  }

  async function attributesOf(
    QueueUrl: string,
    AttributeNames: ('VisibilityTimeout' | 'RedrivePolicy' | 'QueueArn' | 'All')[],
  ): Promise<Readonly<Record<string, string>>> {
    const command = new GetQueueAttributesCommand({ QueueUrl, AttributeNames });
    return (await sqs.send(command)).Attributes ?? {};
  }

  /** Messages that wait, are hidden, or delayed. */
  async function depthOf(queueUrl: string): Promise<number> {
    const all = await attributesOf(queueUrl, ['All']);
    const counts = ['', 'NotVisible', 'Delayed'].map((state) =>
      Number(all[`ApproximateNumberOfMessages${state}`] ?? 0),
    );
    return counts.reduce((sum, count) => sum + count, 0);
  }

  /** They are hidden for as long as the test takes. */
  async function receive(QueueUrl: string): Promise<string[]> {
    const wish = { QueueUrl, MaxNumberOfMessages: 10, VisibilityTimeout: 600, WaitTimeSeconds: 1 };
    const { Messages = [] } = await sqs.send(new ReceiveMessageCommand(wish));
    return Messages.map(({ Body = '' }) => Body);
  }
});

function isPast(time: string | null): boolean {
  return time === null || Date.parse(time) <= Date.now();
}

function areaOf(name: string) {
  const geometry = { type: 'Point', coordinates: [0, 70] };
  return {
    type: 'FeatureCollection',
    features: [{ type: 'Feature', properties: { name }, geometry }],
  };
}
