import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { smtpOptions, smtpTransport } from '../../../src/adapters/runtime/smtp-transport.ts';
import type { Notice } from '../../../src/ports/partner-transport.ts';
import { expectDetail, someNotice } from '../../contract/partner-transport.suite.ts';
import { type SmtpSink, startSmtpSink } from '../../support/start-smtp-sink.ts';

const from = 'rules@hms.example';

describe('smtpTransport', () => {
  let sink: SmtpSink;
  beforeEach(async () => {
    sink = await startSmtpSink();
  });
  afterEach(() => sink[Symbol.asyncDispose]());

  async function send(notice: Notice = someNotice(), ...to: string[]) {
    const transport = smtpTransport(smtpOptions(`smtp://127.0.0.1:${sink.port}`, from));
    const addresses = to.length === 0 ? ['desk@partner.example'] : to;
    const attempt = await transport.send({ kind: 'email', to: addresses }, undefined, notice);
    expectDetail(attempt, undefined);
    return attempt;
  }
  /** The header lines of the only mail, unfolded. */
  const headers = (): string[] => {
    expect(sink.mails).toHaveLength(1);
    const head = sink.mails[0]?.raw.split('\r\n\r\n', 1)[0] ?? '';
    return head.replaceAll(/\r\n[ \t]+/g, ' ').split('\r\n');
  };

  it('writes a mail to people, by which machines can tell repeats', async () => {
    const notice = someNotice();
    expect(await send(notice)).toEqual({ outcome: 'delivered', detail: 'Sent.' });
    expect(sink.mails[0]).toMatchObject({ from, to: ['desk@partner.example'] });
    expect(headers()).toEqual(
      expect.arrayContaining([
        `From: ${from}`,
        'To: desk@partner.example',
        `Subject: ${notice.title}`,
        `Message-ID: <${notice.id}@hms.example>`,
        `X-Hms-Notice: ${notice.id}`,
        'Auto-Submitted: auto-generated',
      ]),
    );
    expect(sink.mails[0]?.raw).toContain('is released to prod.\r\n\r\nRun 184.');
  });

  it.each([
    'a\r\nBcc: eve@partner.example',
    'a\nTo: eve@partner.example\n\nbody',
    'a\rX-Hush: 1',
    'a\u2028Bcc: eve@partner.example',
    'a\u0000\u0085\u000bBcc: eve@partner.example',
  ])('lets no title begin a header: %j', async (title) => {
    await send(someNotice());
    const usual = headers().map((line) => line.split(':', 1)[0]);
    sink.mails.length = 0;
    expect((await send(someNotice({ title }))).outcome).toBe('delivered');
    expect(headers().map((line) => line.split(':', 1)[0])).toEqual(usual);
    expect(sink.mails[0]?.to).toEqual(['desk@partner.example']);
  });

  it('attaches no file and no URL, whatever a notice says', async () => {
    const notice = someNotice({ text: '/etc/passwd', body: '{"path":"/etc/passwd"}' });
    await send(notice);
    expect(sink.mails[0]?.raw).toContain(Buffer.from(notice.body).toString('base64'));
    expect(sink.mails[0]?.raw).not.toContain('root:');
  });

  it('tells when the server refuses some addresses, or all', async () => {
    sink.refused.set('gone@partner.example', 550);
    const some = await send(someNotice(), 'gone@partner.example', 'desk@partner.example');
    expect(some).toEqual({ outcome: 'delivered', detail: 'Sent to 1 of 2 addresses.' });
    expect(await send(someNotice(), 'gone@partner.example')).toEqual({
      outcome: 'failed',
      detail: 'The mail server refused it (SMTP 550).',
    });
  });

  it('sends no password in the clear', async () => {
    const url = `smtp://user:hush@127.0.0.1:${sink.port}`;
    const transport = smtpTransport(smtpOptions(url, from));
    const target = { kind: 'email', to: ['desk@partner.example'] } as const;
    const attempt = await transport.send(target, undefined, someNotice());
    expect(attempt.outcome).toBe('failed');
    expectDetail(attempt, 'hush');
    expect(sink.passwords).toEqual([]);
    expect(sink.mails).toEqual([]);
  });

  it('gives up in time', async () => {
    const silent = createServer((socket) => socket.on('error', () => undefined));
    silent.listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const { port } = silent.address() as AddressInfo;
    const options = smtpOptions(`smtp://127.0.0.1:${port}`, from);
    const transport = smtpTransport({ ...options, timeoutMs: 100 });
    const target = { kind: 'email', to: ['desk@partner.example'] } as const;
    expect((await transport.send(target, undefined, someNotice())).outcome).toBe('failed');
    // It ends only when nobody is connected.
    silent.close();
    await once(silent, 'close');
  });
});

describe('smtpOptions', () => {
  it.each([
    ['smtp://mail.example', { host: 'mail.example', port: 587, secure: false }],
    ['smtps://mail.example', { host: 'mail.example', port: 465, secure: true }],
    ['smtp://mail.example:2525', { port: 2525 }],
    ['smtp://[::1]:2525', { host: '::1' }],
    ['smtps://us%40er:p%2Fw@mail.example', { user: 'us@er', pass: 'p/w' }],
    ['smtp://mail.example', { user: undefined, pass: undefined, from }],
  ])('reads %s', (url, expected) => {
    expect(smtpOptions(url, from)).toMatchObject(expected);
  });

  it.each([
    ['mail.example', from],
    ['https://user:hush@mail.example', from],
    ['smtp://', from],
    ['smtp://user:hush%@mail.example', from],
    ['smtp://mail.example', 'rules'],
    ['smtp://mail.example', 'rules@hms.example\r\nBcc: eve@hms.example'],
    ['smtp://mail.example', 'HMS <rules@hms.example>'],
  ])('refuses %s from %j, and quotes no password', (url, sender) => {
    expect(() => smtpOptions(url, sender)).toThrow(/mail/);
    expect(() => smtpOptions(url, sender)).not.toThrow(/hush/);
  });
});
