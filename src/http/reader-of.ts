import { Forbidden } from '../core/errors/app-error.ts';
import type { Principal } from '../core/identity/principal.ts';
import { permits } from '../core/identity/scopes.ts';
import type { Reader } from '../core/policies/canary.ts';

/** The headers by which a trusted caller says for whom it asks, as parsed. */
export interface ReaderHeaders {
  readonly 'x-subject'?: string | undefined;
  readonly 'x-region'?: string | undefined;
}

/** Whom a canary sorts: the subject of the token, or whom its holder may speak for. */
export function readerOf(principal: Principal, headers: ReaderHeaders): Reader {
  const { 'x-subject': subject, 'x-region': region } = headers;
  if (subject === undefined && region === undefined) return principal;
  if (!permits(principal.scopes, 'act:subject')) {
    throw new Forbidden('X-Subject and X-Region need the scope hms/act:subject.');
  }
  return { subject: subject ?? principal.subject, region: region ?? principal.region };
}
