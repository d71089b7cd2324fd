import { SendEmailCommand, SESv2Client, SESv2ServiceException } from '@aws-sdk/client-sesv2';
import { mockClient } from 'aws-sdk-client-mock';
import { describe, expect, it } from 'vitest';
import { sesTransport } from '../../../src/adapters/aws/ses-transport.ts';
import { expectDetail, someNotice } from '../../contract/partner-transport.suite.ts';

const target = { kind: 'email', to: ['desk@partner.example', 'b@partner.example'] } as const;

function setUp() {
  const client = new SESv2Client({ region: 'us-east-1' });
  const transport = sesTransport({ client, from: 'rules@hms.example' });
  return { mock: mockClient(client), transport };
}

function refusal(name: string, httpStatusCode: number): SESv2ServiceException {
  const message = 'hush';
  return new SESv2ServiceException({
    name,
    message,
    $fault: 'client',
    $metadata: { httpStatusCode },
  });
}

describe('sesTransport', () => {
  it('is one SendEmail, with the JSON attached', async () => {
    const { mock, transport } = setUp();
    mock.on(SendEmailCommand).resolves({ MessageId: '1' });
    const notice = someNotice({ title: 'a\r\nBcc: eve@partner.example' });
    const attempt = await transport.send(target, undefined, notice);
    expect(attempt).toEqual({ outcome: 'delivered', detail: 'Sent.' });
    expect(mock.calls()).toHaveLength(1);
    expect(mock.call(0).args[0].input).toMatchObject({
      FromEmailAddress: 'rules@hms.example',
      Destination: { ToAddresses: target.to },
      Content: {
        Simple: {
          Subject: { Data: 'a Bcc: eve@partner.example' },
          Body: { Text: { Data: notice.text } },
          Headers: [
            { Name: 'X-Hms-Notice', Value: notice.id },
            { Name: 'Auto-Submitted', Value: 'auto-generated' },
          ],
          Attachments: [
            { FileName: `hms-${notice.id}.json`, RawContent: Buffer.from(notice.body) },
          ],
        },
      },
    });
  });

  it.each([
    [refusal('TooManyRequestsException', 429), 'SES did not answer.'],
    [refusal('InternalServiceErrorException', 500), 'SES did not answer.'],
    [Object.assign(new Error('hush'), { code: 'ECONNRESET' }), 'SES did not answer.'],
    [Object.assign(new Error('hush'), { name: 'AbortError' }), 'SES did not answer.'],
    [refusal('MessageRejected', 400), 'SES refused it (MessageRejected).'],
    [refusal('AccessDeniedException', 403), 'SES refused it (AccessDeniedException).'],
  ])('fails for %s', async (error, detail) => {
    const { mock, transport } = setUp();
    mock.rejects(error);
    const attempt = await transport.send(target, undefined, someNotice());
    expect(attempt).toEqual({ outcome: 'failed', detail });
    expectDetail(attempt, 'hush');
  });

  it('throws a defect as it came', async () => {
    const { mock, transport } = setUp();
    const error = new TypeError('a defect');
    mock.rejects(error);
    await expect(transport.send(target, undefined, someNotice())).rejects.toBe(error);
  });
});
