import type { Service } from './service.ts';
import { localService } from './local-service.ts';
import { startLocalServer } from './start-local-server.ts';
import { startSmtpSink } from './start-smtp-sink.ts';

/** The embedded server with a mail server, and partners on loopback. */
export async function startLocalRolloutService(): Promise<Service> {
  const sink = await startSmtpSink();
  const server = await startLocalServer({
    env: {
      HMS_ALLOW_PRIVATE_TARGETS: '1',
      HMS_SMTP_URL: `smtp://127.0.0.1:${sink.port}`,
      HMS_MAIL_FROM: 'rules@hms.example',
    },
  });
  const service = localService(server);
  return {
    ...service,
    mailsTo: async (address) =>
      sink.mails
        .filter(({ to }) => to.includes(address))
        .map(({ raw }) => /^Subject: (.*)$/m.exec(raw)?.[1] ?? ''),
    async close() {
      await service.close();
      await sink[Symbol.asyncDispose]();
    },
  };
}
