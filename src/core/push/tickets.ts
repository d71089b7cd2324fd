import { randomBytes } from 'node:crypto';
import type { Deps } from '../deps.ts';
import { Unavailable } from '../errors/app-error.ts';
import type { Principal } from '../identity/principal.ts';
import { sha256Hex } from '../packages/digest.ts';
import { getRecord, type KeyOf } from '../records.ts';
import { pushLimits } from './push-frames.ts';

/** Who a ticket stands for. */
export interface StoredPrincipal extends Omit<Principal, 'scopes' | 'region'> {
  readonly scopes: readonly string[];
  readonly region: string | null;
}

export interface NewTicket {
  /** 43 characters of base64url: 256 random bits. */
  readonly ticket: string;
  readonly expiresAtMs: number;
}

const shape = /^[\w-]{43}$/;

/**
 * A ticket to open one connection with, in place of a token, which must not be in an address. It
 * stands for all that the token stands for. Only its digest is stored. Errors: `Unavailable`.
 */
export async function issueTicket(
  deps: Pick<Deps, 'records' | 'clock' | 'ids'>,
  principal: Principal,
): Promise<NewTicket> {
  const ticket = randomBytes(32).toString('base64url');
  const expiresAtMs = deps.clock.nowMs() + pushLimits.ticketMs;
  const value = storedPrincipal(principal);
  const outcome = await deps.records.commit(
    [{ kind: 'put', key: ticketKey(ticket), value, expect: 'absent', expiresAtMs }],
    deps.ids.next(),
  );
  if (outcome === 'conflict') throw new Unavailable('The ticket was not stored. Try again.');
  return { ticket, expiresAtMs };
}

/**
 * Who the ticket stands for, this once: of two who come with the same, one gets an answer. Null: it
 * was never issued, was used, or has expired, or the token that it stands for has. Errors:
 * `Unavailable`; the ticket may be used up then.
 */
export async function redeemTicket(
  deps: Pick<Deps, 'records' | 'clock' | 'ids'>,
  ticket: string,
): Promise<Principal | null> {
  if (!shape.test(ticket)) return null;
  const found = await getRecord(deps, ticketKey(ticket));
  if (found === undefined) return null;
  const { key, rev, value } = found;
  const outcome = await deps.records.commit(
    [{ kind: 'delete', key, expect: rev }],
    deps.ids.next(),
  );
  if (outcome === 'conflict' || value.expiresAtMs <= deps.clock.nowMs()) return null;
  return principalOf(value);
}

export function storedPrincipal({ scopes, region, ...rest }: Principal): StoredPrincipal {
  return { ...rest, scopes: [...scopes], region: region ?? null };
}

export function principalOf({ scopes, region, ...rest }: StoredPrincipal): Principal {
  return { ...rest, scopes: new Set(scopes), region: region ?? undefined };
}

/** Over all tenants: who comes with a ticket has not said yet whose it is. */
function ticketKey(ticket: string): KeyOf<StoredPrincipal> {
  const digest = sha256Hex(Buffer.from(ticket));
  return { partition: `#push-tickets#${digest.slice(0, 2)}`, sort: digest };
}
