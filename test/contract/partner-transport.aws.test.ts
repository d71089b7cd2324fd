import { CreateEmailIdentityCommand, SESv2Client } from '@aws-sdk/client-sesv2';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { sesTransport } from '../../src/adapters/aws/ses-transport.ts';
import { expectDefect } from '../support/expect-defect.ts';
import { expectDetail, someNotice } from './partner-transport.suite.ts';

const client = new SESv2Client({});
const from = 'rules@hms.example';
const transport = sesTransport({ client, from });
const target = { kind: 'email', to: ['desk@partner.example'] } as const;

beforeAll(() => client.send(new CreateEmailIdentityCommand({ EmailIdentity: from })));
afterAll(() => client.destroy());

// What it sends is in test/unit/adapters: an emulated SES shows no headers and no attachments.
describe('PartnerTransport: sesTransport', () => {
  it.each([
    ['a notice', someNotice()],
    ['a large one', someNotice({ body: JSON.stringify('é'.repeat(102_000)) })],
    ['a title with line breaks', someNotice({ title: 'a\r\nBcc: eve@example.org' })],
  ])('hands over %s, and again', async (_, notice) => {
    for (let times = 0; times < 2; times++) {
      const attempt = await transport.send(target, undefined, notice);
      expect(attempt).toEqual({ outcome: 'delivered', detail: 'Sent.' });
    }
  });

  it('says so when SES cannot be reached, and does not throw', async () => {
    const nobody = new SESv2Client({ endpoint: 'http://127.0.0.1:1', maxAttempts: 1 });
    const attempt = await sesTransport({ client: nobody, from }).send(
      target,
      undefined,
      someNotice(),
    );
    expect(attempt.outcome).toBe('failed');
    expectDetail(attempt, undefined);
    nobody.destroy();
  });

  it('refuses a target of another kind', async () => {
    const webhook = { kind: 'webhook', url: 'https://example.org/' } as const;
    await expectDefect(() => transport.send(webhook, undefined, someNotice()));
  });
});
