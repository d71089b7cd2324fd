import type { PartnerTransport } from '../../ports/partner-transport.ts';
import type { PartnerTarget } from './partner.ts';

/** Sends each notice by the transport that is there for the kind of its target. */
export function transportByKind(
  transports: Readonly<Record<PartnerTarget['kind'], PartnerTransport>>,
): PartnerTransport {
  return {
    send: (target, secret, notice) => transports[target.kind].send(target, secret, notice),
  };
}
