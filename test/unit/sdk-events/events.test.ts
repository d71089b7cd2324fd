import { Webhook } from 'standardwebhooks';
import { describe, expect, it } from 'vitest';
import { callService } from '../../../sdk/src/events/call-service.ts';
import { getRule } from '../../../sdk/src/events/get-rule.ts';
import { publishEvent } from '../../../sdk/src/events/publish-event.ts';
import { verifyWebhook, WebhookError } from '../../../sdk/src/events/verify-webhook.ts';
import { startFakeHms } from '../../support/start-fake-hms.ts';
import { SdkDesk } from '../../support/sdk-desk.ts';

const secret = `whsec_${Buffer.from('a key of a service').toString('base64')}`;
const other = `whsec_${Buffer.from('the key before it').toString('base64')}`;
const body = JSON.stringify({ type: 'voucher-submitted', data: { voucher: 7, to: 'Mäyä' } });

/** Headers as HMS sends them. */
function signed(at = new Date(), by = secret) {
  return {
    'webhook-id': 'voucher-7-submitted',
    'webhook-timestamp': String(Math.floor(at.getTime() / 1000)),
    'webhook-signature': new Webhook(by).sign('voucher-7-submitted', at, body),
  };
}

describe('verifyWebhook', () => {
  it('answers the event that was signed for this service', async () => {
    const event = { type: 'voucher-submitted', data: { voucher: 7, to: 'Mäyä' } };
    expect(await verifyWebhook(body, signed(), secret)).toEqual(event);
    expect(await verifyWebhook(Buffer.from(body), new Headers(signed()), secret)).toEqual(event);
    expect(await verifyWebhook(body, signed(undefined, other), [secret, other])).toEqual(event);
    const several = `v1a,xyz v1,AAAA ${signed()['webhook-signature']}`;
    const headers = { ...signed(), 'webhook-signature': several };
    expect(await verifyWebhook(body, headers, secret)).toEqual(event);
  });

  it.each([
    ['another key', body, signed(undefined, other)],
    ['another body', body.replace('7', '8'), signed()],
    ['another id', body, { ...signed(), 'webhook-id': 'voucher-8' }],
    ['an old time', body, signed(new Date(Date.now() - 301_000))],
    ['a time to come', body, signed(new Date(Date.now() + 302_000))],
    ['a time that is none', body, { ...signed(), 'webhook-timestamp': '1e9' }],
    ['no signature', body, { ...signed(), 'webhook-signature': undefined }],
    ['a signature that is none', body, { ...signed(), 'webhook-signature': 'v1,%%% v1, v2' }],
  ])('refuses %s', async (_, text, headers) => {
    await expect(verifyWebhook(text, headers, secret)).rejects.toBeInstanceOf(WebhookError);
  });

  it.each(['', 'whsec_', 'whsec_%'])('does not work with the secret "%s"', async (none) => {
    await expect(verifyWebhook(body, signed(), none)).rejects.toThrow('whsec_ and base64');
  });
});

describe('publishEvent', () => {
  it('publishes an event once, though the answer is lost', async () => {
    const desk = new SdkDesk();
    let left = 1;
    desk.fault = () => (left-- > 0 ? 'lost' : undefined);
    const event = { type: 'voucher-submitted', data: { voucher: 7 }, subject: 'VOUCHER-7' };
    const id = await publishEvent({ ...event, connection: desk.connection() });
    expect(desk.calls).toEqual(['POST /events', 'POST /events']);
    const stored = async (data: unknown) =>
      publishEvent({ ...event, data, id, connection: desk.connection() });
    expect(await stored({ voucher: 7 })).toBe(id);
    await expect(stored({ voucher: 8 })).rejects.toMatchObject({ code: 'idempotency_key_reused' });
  });
});

describe('calls by name', () => {
  it('get a rule, and reach a service with its answer as it is', async () => {
    await using hms = await startFakeHms();
    const { url: baseUrl } = hms;
    const connection = { baseUrl, auth: () => 'token-of-demo-service' };
    const rule = { name: 'MAX_INCOME', value: 80_000 };
    hms.answers['GET /rules/MAX_INCOME?channel=test'] = () => ({ status: 200, json: rule });
    expect(await getRule('MAX_INCOME', { channel: 'test', connection })).toEqual(rule);
    hms.answers['POST /svc/voucher-eligibility/check'] = ({ body: sent }) => ({
      status: 201,
      json: { sent: JSON.parse(sent) as unknown },
    });
    const answer = await callService('voucher-eligibility', '/check', {
      method: 'POST',
      json: { income: 52_000 },
      connection,
    });
    expect([answer.status, await answer.json()]).toEqual([201, { sent: { income: 52_000 } }]);
    const missing = callService('voucher-eligibility', 'nowhere', { connection });
    await expect(missing).rejects.toMatchObject({ code: 'not_found', status: 404 });
    expect(hms.calls.map(({ authorization }) => authorization)).toEqual(
      hms.calls.map(() => 'Bearer token-of-demo-service'),
    );
  });
});
