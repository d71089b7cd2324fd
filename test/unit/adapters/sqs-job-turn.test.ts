import { describe, expect, it } from 'vitest';

import { turnOf } from '../../../src/adapters/aws/sqs-job-turn.ts';

describe('turnOf', () => {
  const record = {
    eventSourceARN: 'arn:aws:sqs:us-east-1:123456789012:pothole-high',
    receiptHandle: 'a/b+c==',
    body: '{"tenant":"demo","type":"pothole.report","id":"1"}',
  };

  it('answers the job that the message names, and a receipt with its queue', () => {
    expect(turnOf(record)).toEqual({
      tenant: 'demo',
      type: 'pothole.report',
      id: '1',
      receipt: 'pothole-high/a/b+c==',
    });
  });

  it.each([
    '',
    'null',
    '[]',
    '"text"',
    '{"tenant":"demo","type":"t"}',
    '{"tenant":"demo","type":"t","id":1}',
    '{"tenant":"demo","type":"t","id":""}',
    '{"tenant":"demo","type":"t","id":"1","more":"x"}',
    '{"tenant":"de mo","type":"t","id":"1"}',
  ])('refuses the message %j', (text) => {
    expect(() => turnOf({ ...record, body: text })).toThrow(
      'a message of the queue pothole-high is not a job',
    );
  });
});
