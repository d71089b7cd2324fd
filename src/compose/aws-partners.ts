import { transportByKind } from '../core/partners/transport-by-kind.ts';
import type { Deps } from '../core/deps.ts';
import type { PartnerTransport } from '../ports/partner-transport.ts';
import { allowedNetworks } from './aws-networks.ts';
import { lazyPort } from './lazy-port.ts';

/** What a function needs that tells partners. Without an address to send from, mail fails and says why. */
export function awsPartners(): Pick<Deps, 'secrets' | 'partners'> {
  const { HMS_MAIL_FROM: from = '' } = process.env;
  const networks = allowedNetworks();
  return {
    secrets: lazyAwsSecrets(),
    partners: transportByKind({
      webhook: lazyTransport(async () => {
        const { webhookTransport } = await import('../adapters/runtime/webhook-transport.ts');
        return webhookTransport({ networks });
      }),
      sftp: lazyTransport(async () => {
        const { sftpTransport } = await import('../adapters/runtime/sftp-transport.ts');
        return sftpTransport({ networks });
      }),
      email:
        from === ''
          ? noMail
          : lazyTransport(async () => (await import('./aws-mail.ts')).awsMail(from)),
    }),
  };
}

export function lazyAwsSecrets(): Deps['secrets'] {
  return lazyPort<Deps['secrets']>(['put', 'get', 'getPrevious', 'delete'], async () =>
    (await import('./aws-secrets.ts')).awsSecrets(),
  );
}

function lazyTransport(load: () => Promise<PartnerTransport>): PartnerTransport {
  return lazyPort<PartnerTransport>(['send'], load);
}

const noMail: PartnerTransport = {
  async send() {
    return {
      outcome: 'failed',
      detail: 'No address to send from is set: deploy with -c mailFrom=.',
    };
  },
};
