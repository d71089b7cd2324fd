import {
  ChangeMessageVisibilityCommand,
  DeleteMessageCommand,
  MessageNotInflight,
  OverLimit,
  QueueDoesNotExist,
  ReceiptHandleIsInvalid,
  ReceiveMessageCommand,
  RequestThrottled,
  SendMessageBatchCommand,
  SQSClient,
  SQSServiceException,
} from '@aws-sdk/client-sqs';
import type { ReceiveMessageCommandInput, SendMessageBatchCommandInput } from '@aws-sdk/client-sqs';
import { mockClient } from 'aws-sdk-client-mock';
import { describe, expect, it } from 'vitest';

import { sqsJobQueue, turnOf } from '../../../src/adapters/aws/sqs-job-queue.ts';
import { Unavailable } from '../../../src/core/errors/app-error.ts';
import type { JobTurn, QueuedJob } from '../../../src/ports/job-queue.ts';

const nowMs = Date.UTC(2026, 0, 1);
const base = 'https://sqs.us-east-1.amazonaws.com/123456789012/';
const lanesOf = (type: string) => ({
  high: `${base}${type}-high`,
  normal: `${base}${type}-normal`,
  low: `${base}${type}-low`,
});
const queues = { 'pothole.report': lanesOf('pothole'), 'claim.review': lanesOf('claim') };
const meta = { message: 'no', $metadata: { httpStatusCode: 400 } };
const wish = { max: 10, hideMs: 60_000, waitMs: 0 };

/** A mock of the client's `send`, a queue on it, and how long the queue slept. */
function setUp() {
  const client = new SQSClient({ region: 'us-east-1' });
  const mock = mockClient(client);
  const sleptMs: number[] = [];
  const clock = { nowMs: () => nowMs, sleep: async (ms: number) => void sleptMs.push(ms) };
  return { mock, sleptMs, queue: sqsJobQueue({ client, queues, clock }) };
}

function job(id: string, change: Partial<QueuedJob> = {}): QueuedJob {
  return {
    tenant: 'demo',
    type: 'pothole.report',
    id,
    priority: 'normal',
    notBeforeMs: nowMs,
    ...change,
  };
}

const jobs = (count: number): QueuedJob[] =>
  Array.from({ length: count }, (_, i) => job(String(i)));
const body = (id: string, type = 'pothole.report'): string =>
  JSON.stringify({ tenant: 'demo', type, id });
const thrownBy = (call: Promise<unknown>): Promise<unknown> =>
  call.then(
    () => undefined,
    (error: unknown) => error,
  );

describe('send', () => {
  /** Refuses the entries of the n-th call whose bodies name `refused[n]`. */
  function setUpSend(refused: readonly (readonly string[])[] = []) {
    const setup = setUp();
    const accepted: string[][] = [];
    setup.mock
      .on(SendMessageBatchCommand)
      .callsFake(async ({ Entries = [] }: SendMessageBatchCommandInput) => {
        const bad = refused[accepted.length] ?? [];
        const isBad = ({ MessageBody = '' }): boolean => bad.some((id) => MessageBody === body(id));
        accepted.push(
          Entries.filter((entry) => !isBad(entry)).map(({ MessageBody = '' }) => MessageBody),
        );
        const Failed = Entries.filter(isBad).map(({ Id }) => ({ Id, Code: 'InternalError' }));
        return { Successful: [], Failed };
      });
    const inputs = () =>
      setup.mock.commandCalls(SendMessageBatchCommand).map(({ args }) => args[0].input);
    return { ...setup, accepted, inputs };
  }

  it('sends what names the job, with its tenant as group, to the queue of type and priority', async () => {
    const { queue, inputs } = setUpSend();
    await queue.send([job('1'), job('2', { priority: 'high', tenant: 'other' })]);
    await queue.send([job('3', { type: 'claim.review', priority: 'low' })]);
    const entry = { Id: '0', MessageGroupId: 'demo', DelaySeconds: 0 };
    expect(inputs()).toEqual([
      { QueueUrl: `${base}pothole-normal`, Entries: [{ ...entry, MessageBody: body('1') }] },
      {
        QueueUrl: `${base}pothole-high`,
        Entries: [
          {
            ...entry,
            MessageGroupId: 'other',
            MessageBody: '{"tenant":"other","type":"pothole.report","id":"2"}',
          },
        ],
      },
      {
        QueueUrl: `${base}claim-low`,
        Entries: [{ ...entry, MessageBody: body('3', 'claim.review') }],
      },
    ]);
  });

  it.each([
    [-60_000, 0],
    [0, 0],
    [1, 1],
    [1000, 1],
    [899_001, 900],
    [1_200_000, 900],
  ])('delays a job that may start in %i ms by %i s', async (ms, seconds) => {
    const { queue, inputs } = setUpSend();
    await queue.send([job('1', { notBeforeMs: nowMs + ms })]);
    expect(inputs()[0]?.Entries?.[0]?.DelaySeconds).toBe(seconds);
  });

  it('sends ten at a time', async () => {
    const { queue, accepted, sleptMs } = setUpSend();
    await queue.send(jobs(25));
    expect(accepted.map(({ length }) => length)).toEqual([10, 10, 5]);
    expect(accepted.flat()).toEqual(jobs(25).map(({ id }) => body(id)));
    expect(sleptMs).toEqual([0, 0, 0]);
  });

  it('sends again only what was refused, after a while', async () => {
    const { queue, accepted, sleptMs } = setUpSend([['3', '7'], ['7']]);
    await queue.send(jobs(12));
    expect(accepted.map((bodies) => bodies.length)).toEqual([8, 1, 1, 2]);
    expect(accepted.flat().toSorted()).toEqual(
      jobs(12)
        .map(({ id }) => body(id))
        .toSorted(),
    );
    expect(sleptMs.map((ms) => ms > 0)).toEqual([false, true, true, false]);
  });

  it('gives up on what is refused again and again', async () => {
    const { queue, accepted } = setUpSend(Array.from({ length: 99 }, () => ['1']));
    const error = await thrownBy(queue.send(jobs(3)));
    expect(error).toBeInstanceOf(Unavailable);
    expect(error).toMatchObject({ cause: { message: expect.stringContaining('InternalError') } });
    expect(accepted).toHaveLength(6);
  });

  it('refuses a type without a queue before it sends any', async () => {
    const { queue, inputs } = setUpSend();
    for (const type of ['none', 'constructor', '__proto__']) {
      await expect(queue.send([job('1'), job('2', { type })])).rejects.toThrow(RangeError);
      await expect(queue.receive(type, wish)).rejects.toThrow(RangeError);
    }
    expect(inputs()).toEqual([]);
  });
});

describe('receive', () => {
  /** A client whose lanes hold these messages, for one receive each. */
  function setUpReceive(messages: Readonly<Record<string, readonly string[] | Error>>) {
    const setup = setUp();
    const left = new Map(Object.entries(messages));
    setup.mock
      .on(ReceiveMessageCommand)
      .callsFake(async ({ QueueUrl = '', MaxNumberOfMessages = 0 }: ReceiveMessageCommandInput) => {
        const name = QueueUrl.slice(base.length);
        const found = left.get(name) ?? [];
        if (found instanceof Error) throw found;
        left.set(name, found.slice(MaxNumberOfMessages));
        return {
          Messages: found
            .slice(0, MaxNumberOfMessages)
            .map((Body, i) => ({ Body, ReceiptHandle: `${name}/${i}==` })),
        };
      });
    const asked = () =>
      setup.mock.commandCalls(ReceiveMessageCommand).map(({ args }) => {
        const { QueueUrl = '', MaxNumberOfMessages, WaitTimeSeconds } = args[0].input;
        return [QueueUrl.slice(base.length), MaxNumberOfMessages, WaitTimeSeconds];
      });
    return { ...setup, asked };
  }

  it('asks the lanes in order for what is missing, each hidden for whole seconds', async () => {
    const { queue, asked, mock } = setUpReceive({
      'pothole-high': [body('1')],
      'pothole-normal': [body('2'), body('3')],
      'pothole-low': [body('4'), body('5')],
    });
    const turns = await queue.receive('pothole.report', { ...wish, max: 4, hideMs: 1001 });
    expect(turns.map(({ id }) => id)).toEqual(['1', '2', '3', '4']);
    expect(turns[0]).toEqual({
      tenant: 'demo',
      type: 'pothole.report',
      id: '1',
      receipt: 'pothole-high/pothole-high/0==',
    });
    expect(asked()).toEqual([
      ['pothole-high', 4, 0],
      ['pothole-normal', 3, 0],
      ['pothole-low', 1, 0],
    ]);
    expect(mock.call(0).args[0].input).toMatchObject({ VisibilityTimeout: 2 });
  });

  it('asks no further when it has enough', async () => {
    const { queue, asked } = setUpReceive({ 'pothole-high': [body('1'), body('2')] });
    expect(await queue.receive('pothole.report', { ...wish, max: 2 })).toHaveLength(2);
    expect(asked()).toEqual([['pothole-high', 2, 0]]);
  });

  it('waits in the middle lane, a second in each round, and not for ever', async () => {
    const { queue, asked } = setUpReceive({});
    // The clock stands still: the number of rounds alone ends it.
    expect(await queue.receive('pothole.report', { ...wish, waitMs: 20_000 })).toEqual([]);
    const waits = asked().map(([, , seconds]) => seconds);
    expect(waits).toHaveLength(63);
    expect(waits.slice(0, 6)).toEqual([0, 0, 0, 0, 1, 0]);
    expect(waits.filter((seconds) => seconds === 1)).toHaveLength(20);
  });

  it('does not wait with turns in hand', async () => {
    const { queue, asked, mock } = setUpReceive({});
    mock
      .on(ReceiveMessageCommand, { QueueUrl: `${base}pothole-high` })
      .resolvesOnce({})
      .resolves({ Messages: [{ Body: body('1'), ReceiptHandle: 'r' }] });
    expect(await queue.receive('pothole.report', { ...wish, waitMs: 20_000 })).toHaveLength(1);
    expect(asked().map(([, , seconds]) => seconds)).toEqual([0, 0, 0, 0, 0, 0]);
  });

  it('hands out no message that is not a job of the type', async () => {
    const { queue } = setUpReceive({
      'pothole-normal': ['no JSON', body('1', 'claim.review'), body('2'), '{"id":"3"}'],
    });
    const turns = await queue.receive('pothole.report', wish);
    expect(turns.map(({ id }) => id)).toEqual(['2']);
  });

  it('hands out the turns in hand when a later lane fails', async () => {
    const { queue } = setUpReceive({
      'pothole-high': [body('1')],
      'pothole-normal': new RequestThrottled(meta),
    });
    expect(await queue.receive('pothole.report', wish)).toHaveLength(1);
  });

  it.each([
    new RequestThrottled(meta),
    new OverLimit(meta),
    Object.assign(new Error('lost'), { code: 'ECONNRESET' }),
    new SQSServiceException({
      ...meta,
      name: 'X',
      $fault: 'server',
      $metadata: { httpStatusCode: 503 },
    }),
  ])('throws Unavailable when there is none for $name', async (error) => {
    const { queue } = setUpReceive({ 'pothole-low': error });
    expect(await thrownBy(queue.receive('pothole.report', wish))).toMatchObject({
      name: 'Unavailable',
      cause: error,
    });
  });

  it('throws a defect as it came', async () => {
    const error = new QueueDoesNotExist(meta);
    const { queue } = setUpReceive({ 'pothole-high': error });
    expect(await thrownBy(queue.receive('pothole.report', wish))).toBe(error);
  });

  it('ends without an error when the signal aborts a poll', async () => {
    const { queue, mock } = setUpReceive({});
    const leaving = new AbortController();
    mock.on(ReceiveMessageCommand, { WaitTimeSeconds: 1 }).callsFake(async () => {
      leaving.abort();
      throw Object.assign(new Error('aborted'), { name: 'AbortError' });
    });
    const { signal } = leaving;
    expect(await queue.receive('pothole.report', { ...wish, waitMs: 20_000, signal })).toEqual([]);
    expect(mock.calls()).toHaveLength(5);
    const args: readonly unknown[] = mock.call(4).args;
    expect(args[1]).toEqual({ abortSignal: signal });
  });
});

describe('hide and remove', () => {
  const turn: JobTurn = {
    tenant: 'demo',
    type: 'pothole.report',
    id: '1',
    receipt: 'pothole-low/a/b+c==',
  };
  const target = { QueueUrl: `${base}pothole-low`, ReceiptHandle: 'a/b+c==' };

  it('take the turn that a function was handed in its event', async () => {
    const { queue, mock } = setUp();
    const eventSourceARN = 'arn:aws:sqs:us-east-1:123456789012:pothole-low';
    const handed = turnOf({ eventSourceARN, receiptHandle: 'a/b+c==', body: body('1') });
    expect(handed).toEqual(turn);
    await queue.hide(handed, 1000);
    expect(mock.call(0).args[0].input).toEqual({ ...target, VisibilityTimeout: 1 });
  });

  it('go to the queue that the receipt names', async () => {
    const { queue, mock } = setUp();
    expect(await queue.hide(turn, 1500)).toBe('hidden');
    await queue.remove(turn);
    expect(mock.calls().map(({ args }) => args[0].input)).toEqual([
      { ...target, VisibilityTimeout: 2 },
      target,
    ]);
  });

  it.each([
    new ReceiptHandleIsInvalid(meta),
    new MessageNotInflight(meta),
    new SQSServiceException({ ...meta, name: 'InvalidParameterValue', $fault: 'client' }),
    new SQSServiceException({ ...meta, name: 'InvalidParameterValueException', $fault: 'client' }),
  ])('take $name for gone', async (error) => {
    const { queue, mock } = setUp();
    mock.on(ChangeMessageVisibilityCommand).rejects(error);
    mock.on(DeleteMessageCommand).rejects(error);
    expect(await queue.hide(turn, 0)).toBe('gone');
    expect(await queue.remove(turn)).toBeUndefined();
  });

  it('take no other error for gone', async () => {
    const { queue, mock } = setUp();
    for (const error of [new QueueDoesNotExist(meta), new TypeError('no')]) {
      mock.on(ChangeMessageVisibilityCommand).rejects(error);
      mock.on(DeleteMessageCommand).rejects(error);
      expect(await thrownBy(queue.hide(turn, 0))).toBe(error);
      expect(await thrownBy(queue.remove(turn))).toBe(error);
    }
  });

  it('throw Unavailable when the answer was lost', async () => {
    const { queue, mock } = setUp();
    mock.rejects(Object.assign(new Error('lost'), { code: 'ECONNRESET' }));
    await expect(queue.hide(turn, 0)).rejects.toThrow(Unavailable);
    await expect(queue.remove(turn)).rejects.toThrow(Unavailable);
  });

  it('do nothing for the receipt of a queue that is none of ours', async () => {
    const { queue, mock } = setUp();
    for (const receipt of ['', 'none', 'other-queue/abc']) {
      expect(await queue.hide({ ...turn, receipt }, 0)).toBe('gone');
      await queue.remove({ ...turn, receipt });
    }
    expect(mock.calls()).toHaveLength(0);
  });
});

describe('sqsJobQueue', () => {
  it('refuses what is not the URL of a queue', () => {
    const client = new SQSClient({ region: 'us-east-1' });
    const clock = { nowMs: () => nowMs, sleep: async () => {} };
    for (const high of ['pothole-high', 'https://sqs.us-east-1.amazonaws.com/']) {
      const broken = { t: { ...lanesOf('t'), high } };
      expect(() => sqsJobQueue({ client, queues: broken, clock })).toThrow(
        `'${high}' is not the URL of a queue.`,
      );
    }
  });
});
