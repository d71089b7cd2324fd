import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { Webhook } from 'standardwebhooks';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { hmsClient } from '../../../examples/housing/eligibility/hms-client.ts';
import { eligibilityService } from '../../../examples/housing/eligibility/service.ts';
import { receiptMailer } from '../../../examples/housing/receipts/mail-receipt.ts';
import { receiptsService } from '../../../examples/housing/receipts/service.ts';
import { serviceManifest } from '../../../src/contract/service-schemas.ts';
import { type FakeHms, startFakeHms } from '../../support/start-fake-hms.ts';
import { type SmtpSink, startSmtpSink } from '../../support/start-smtp-sink.ts';

const example = join(import.meta.dirname, '../../../examples/housing');
const email = 'maya@example.org';

async function post(service: Server, path: string, body: string, headers = {}) {
  const { port } = service.address() as AddressInfo;
  const url = `http://127.0.0.1:${port}${path}`;
  const response = await fetch(url, { method: 'POST', body, headers });
  const text = await response.text();
  return { status: response.status, body: text === '' ? undefined : (JSON.parse(text) as unknown) };
}

async function listen(service: Server): Promise<Server> {
  service.listen(0, '127.0.0.1');
  await once(service, 'listening');
  return service;
}

it.each(['eligibility', 'receipts'])('the manifest of %s is one', (name) => {
  const text = readFileSync(join(example, name, 'manifest.yaml'), 'utf8');
  const manifest = { ...(parse(text) as object), url: 'http://127.0.0.1:4000' };
  expect(serviceManifest.parse(manifest).name).toBe(`voucher-${name}`);
});

describe('eligibility', () => {
  let hms: FakeHms;
  let service: Server;
  let limit: unknown;
  beforeEach(async () => {
    limit = 80_000;
    hms = await startFakeHms();
    hms.answers['GET /rules/MAX_INCOME'] = ({ ifNoneMatch }) => {
      const etag = `"${String(limit)}"`;
      if (ifNoneMatch === etag) return { status: 304 };
      return { status: 200, json: { name: 'MAX_INCOME', value: limit }, headers: { etag } };
    };
    hms.answers['POST /events'] = () => ({ status: 202, json: { id: 'e1' } });
    const access = { url: hms.url, clientId: 'demo-service', clientSecret: 'hush' };
    service = await listen(eligibilityService(hmsClient(access)));
  });
  afterEach(async () => {
    service.close();
    await hms[Symbol.asyncDispose]();
  });

  const check = async (given: object) => post(service, '/check', JSON.stringify(given));

  it('goes by the limit in force, and tells of those who are eligible alone', async () => {
    expect(await check({ income: 80_000, email })).toEqual({
      status: 200,
      body: { eligible: true, limit: 80_000 },
    });
    expect((await check({ income: 80_001, email })).body).toEqual({ eligible: false, limit });
    limit = 90_000;
    expect((await check({ income: 80_001, email })).body).toEqual({ eligible: true, limit });
    const events = hms.calls.filter(({ name }) => name === 'POST /events');
    expect(events.map(({ body }) => JSON.parse(body) as unknown)).toEqual([
      { type: 'voucher-submitted', data: { email, limit: 80_000 } },
      { type: 'voucher-submitted', data: { email, limit: 90_000 } },
    ]);
  });

  it('takes one token, and asks for the rule only if it is another one', async () => {
    await check({ income: 90_000, email });
    await check({ income: 90_000, email });
    expect(hms.calls.map(({ name, ifNoneMatch }) => [name, ifNoneMatch])).toEqual([
      ['POST /oauth2/token', undefined],
      ['GET /rules/MAX_INCOME', undefined],
      ['GET /rules/MAX_INCOME', '"80000"'],
    ]);
    expect(hms.calls.at(-1)?.authorization).toBe('Bearer token-of-demo-service');
  });

  it.each([
    {},
    { income: '5', email },
    { income: -1, email },
    { income: 5 },
    { income: 5, email: 'maya' },
    { income: 5, email: `${email}\r\nBcc: all@example.org` },
  ])('refuses %j', async (given) => {
    expect((await check(given)).status).toBe(400);
    expect(hms.calls).toEqual([]);
  });

  it('does not say eligible when nobody would know of it', async () => {
    hms.answers['POST /events'] = () => ({ status: 503, json: { code: 'unavailable' } });
    expect((await check({ income: 5, email })).status).toBe(503);
    limit = 'a lot';
    expect((await check({ income: 5, email })).status).toBe(503);
    expect((await post(service, '/check', '{')).status).toBe(400);
    expect((await post(service, '/check', ' '.repeat(256 * 1024 + 1))).status).toBe(413);
  });
});

describe('receipts', () => {
  const secret = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
  let sink: SmtpSink;
  let service: Server;
  beforeEach(async () => {
    sink = await startSmtpSink();
    const mail = receiptMailer(`smtp://127.0.0.1:${sink.port}`, 'vouchers@housing.example');
    service = await listen(receiptsService(secret, mail));
  });
  afterEach(async () => {
    service.close();
    await sink[Symbol.asyncDispose]();
  });

  async function send(id: string, event: object, signedWith = secret): Promise<number> {
    const body = JSON.stringify(event);
    const at = new Date();
    const headers = {
      'webhook-id': id,
      'webhook-timestamp': String(Math.floor(at.getTime() / 1000)),
      'webhook-signature': new Webhook(signedWith).sign(id, at, body),
    };
    return (await post(service, '/events', body, headers)).status;
  }

  const submitted = { type: 'voucher-submitted', data: { email, limit: 80_000 } };

  it('mails one receipt for an event, however often it comes', async () => {
    const twice = await Promise.all([send('e1', submitted), send('e1', submitted)]);
    expect([...twice, await send('e1', submitted)]).toEqual([204, 204, 204]);
    expect(sink.mails.map(({ to }) => to)).toEqual([[email]]);
    expect(sink.mails[0]?.raw).toContain('limit that applies is 80000 dollars');
    expect(sink.mails[0]?.raw).toContain('Message-ID: <e1@receipts.hms>');
    expect(await send('e2', submitted)).toBe(204);
    expect(sink.mails).toHaveLength(2);
  });

  it('asks for it again when the mail server did not take it', async () => {
    sink.refused.set(email, 451);
    expect(await send('e1', submitted)).toBe(503);
    sink.refused.clear();
    expect(await send('e1', submitted)).toBe(204);
    expect(sink.mails).toHaveLength(1);
  });

  it('mails for nothing else', async () => {
    const other = `whsec_${Buffer.alloc(32, 8).toString('base64')}`;
    expect(await send('e1', submitted, other)).toBe(401);
    expect(await send('e2', { type: 'case.opened', data: {} })).toBe(204);
    expect(await send('e3', { type: 'voucher-submitted', data: { limit: 1 } })).toBe(400);
    expect(await send('e4', { type: 'voucher-submitted', data: null })).toBe(400);
    expect(await send('e5', { type: 'voucher-submitted', data: { email } })).toBe(400);
    expect(sink.mails).toEqual([]);
  });
});
