import type { PartnerTransport } from '../ports/partner-transport.ts';

/** A transport that is loaded by its first notice: most partners have the same kind. */
export function lazyTransport(load: () => Promise<PartnerTransport>): PartnerTransport {
  let loading: Promise<PartnerTransport> | undefined;
  return {
    send: async (...notice) => (await (loading ??= load())).send(...notice),
  };
}
