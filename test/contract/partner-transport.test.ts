import { Webhook } from 'standardwebhooks';
import { createHash } from 'node:crypto';
import { expect } from 'vitest';
import { sftpTransport } from '../../src/adapters/runtime/sftp-transport.ts';
import { smtpTransport } from '../../src/adapters/runtime/smtp-transport.ts';
import { webhookTransport } from '../../src/adapters/runtime/webhook-transport.ts';
import { transportByKind } from '../../src/core/partners/transport-by-kind.ts';
import {
  sftpFolder,
  sftpPassword,
  sftpUser,
  startSftpServer,
} from '../support/start-sftp-server.ts';
import { startSmtpSink } from '../support/start-smtp-sink.ts';
import { startWebhookReceiver } from '../support/start-webhook-receiver.ts';
import { attachedJson } from '../support/attached-json.ts';
import { describePartnerTransport } from './partner-transport.suite.ts';

const networks = { allowPrivate: true };
const secret = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;

const onWebhook = async () => {
  const receiver = await startWebhookReceiver();
  return {
    transport: webhookTransport({ networks }),
    target: { kind: 'webhook', url: receiver.url },
    secret,
    async received() {
      const verifier = new Webhook(secret);
      return new Map(
        receiver.calls.map(({ headers, body }) => {
          verifier.verify(body, headers as Record<string, string>);
          return [String(headers['webhook-id']), body];
        }),
      );
    },
    goDown: () => receiver[Symbol.asyncDispose](),
    close: () => receiver[Symbol.asyncDispose](),
  } as const;
};

describePartnerTransport('webhookTransport', onWebhook);

describePartnerTransport('transportByKind', async () => {
  const fixture = await onWebhook();
  const { transport: webhook } = fixture;
  const transport = transportByKind({ webhook, email: webhook, sftp: webhook });
  return { ...fixture, transport };
});

describePartnerTransport('smtpTransport', async () => {
  const sink = await startSmtpSink();
  const { port } = sink;
  const from = 'rules@hms.example';
  const server = { host: '127.0.0.1', port, secure: false, user: undefined, pass: undefined };
  return {
    transport: smtpTransport({ ...server, from }),
    target: { kind: 'email', to: ['desk@partner.example'] },
    secret: undefined,
    async received() {
      return new Map(
        sink.mails.map(({ raw, to }) => {
          expect(to).toEqual(['desk@partner.example']);
          const id = /^Message-ID:\s+<(.*)@hms\.example>\r$/im.exec(raw)?.[1] ?? '';
          return [id, attachedJson(raw)];
        }),
      );
    },
    goDown: () => sink[Symbol.asyncDispose](),
    close: () => sink[Symbol.asyncDispose](),
  };
});

describePartnerTransport('sftpTransport', async () => {
  const server = await startSftpServer();
  const { port, hostKey } = server;
  return {
    transport: sftpTransport({ networks }),
    target: {
      kind: 'sftp',
      host: '127.0.0.1',
      port,
      username: sftpUser,
      hostKey,
      folder: sftpFolder,
    },
    secret: sftpPassword,
    async received() {
      const found = new Map<string, string>();
      for (const [path, text] of server.files) {
        const name = path.slice(sftpFolder.length + 1);
        expect(name).not.toMatch(/^\./);
        if (name.endsWith('.sha256')) continue;
        const digest = createHash('sha256').update(text).digest('hex');
        expect(server.files.get(`${path}.sha256`)).toBe(`${digest}  ${name}\n`);
        found.set(/^hms-(.*)\.json$/.exec(name)?.[1] ?? '', text);
      }
      return found;
    },
    goDown: () => server[Symbol.asyncDispose](),
    close: () => server[Symbol.asyncDispose](),
  };
});
