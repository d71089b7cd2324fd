export interface EmulatedQueue extends AsyncDisposable {
  readonly arn: string;
  /** Takes up to ten messages off it, and waits a second when there is none. */
  readonly receive: () => Promise<string[]>;
}

/** An SQS queue on the emulator at AWS_ENDPOINT_URL, until it is disposed of. */
export async function emulatedQueue(): Promise<EmulatedQueue> {
  const { QueueUrl } = await call('CreateQueue', { QueueName: `test-${crypto.randomUUID()}` });
  const { Attributes } = await call('GetQueueAttributes', {
    QueueUrl,
    AttributeNames: ['QueueArn'],
  });
  return {
    arn: Attributes?.QueueArn ?? '',
    async receive() {
      const { Messages = [] } = await call('ReceiveMessage', {
        QueueUrl,
        MaxNumberOfMessages: 10,
        WaitTimeSeconds: 1,
      });
      for (const { ReceiptHandle } of Messages) {
        await call('DeleteMessage', { QueueUrl, ReceiptHandle });
      }
      return Messages.map(({ Body }) => Body);
    },
    async [Symbol.asyncDispose]() {
      await call('DeleteQueue', { QueueUrl });
    },
  };
}

interface SqsAnswer {
  readonly QueueUrl?: string;
  readonly Attributes?: { readonly QueueArn: string };
  readonly Messages?: readonly { readonly ReceiptHandle: string; readonly Body: string }[];
}

/** Without the client: nothing else here needs it, and the emulator looks at no signature. */
async function call(action: string, input: object): Promise<SqsAnswer> {
  const { AWS_ENDPOINT_URL = '', AWS_REGION = '' } = process.env;
  const response = await fetch(AWS_ENDPOINT_URL, {
    method: 'POST',
    headers: {
      'Content-Type': 'application/x-amz-json-1.0',
      'X-Amz-Target': `AmazonSQS.${action}`,
      Authorization: `AWS4-HMAC-SHA256 Credential=test/20260101/${AWS_REGION}/sqs/aws4_request, SignedHeaders=host, Signature=none`,
    },
    body: JSON.stringify(input),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${action}: ${response.status} ${text}`);
  const answer: SqsAnswer = text === '' ? {} : JSON.parse(text);
  return answer;
}
