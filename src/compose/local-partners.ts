import { sftpTransport } from '../adapters/runtime/sftp-transport.ts';
import { smtpOptions, smtpTransport } from '../adapters/runtime/smtp-transport.ts';
import { webhookTransport } from '../adapters/runtime/webhook-transport.ts';
import { transportByKind } from '../core/partners/transport-by-kind.ts';
import type { PartnerTransport } from '../ports/partner-transport.ts';
import type { LocalConfig } from './local-config.ts';

/** How partners are told from one machine. Without a mail server, mail fails and says why. */
export function localPartners({ allowPrivateTargets, mail }: LocalConfig): PartnerTransport {
  const networks = { allowPrivate: allowPrivateTargets };
  return transportByKind({
    webhook: webhookTransport({ networks }),
    sftp: sftpTransport({ networks }),
    email: mail === null ? noMail : smtpTransport(smtpOptions(mail.url, mail.from)),
  });
}

const noMail: PartnerTransport = {
  async send() {
    return { outcome: 'failed', detail: 'No mail server is set: start with HMS_SMTP_URL.' };
  },
};
