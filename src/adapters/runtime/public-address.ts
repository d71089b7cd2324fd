import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';

import ipaddr from 'ipaddr.js';

/**
 * What may be connected to besides the public internet: nothing, every private network and this
 * machine itself, or the networks of a list (CIDR, such as `10.20.0.0/16`).
 */
export type ReachableNetworks =
  | { readonly allowPrivate: boolean }
  | { readonly allowed: readonly string[] };

/** An address that was checked: connect to it, and to nothing that its name leads to later. */
export interface CheckedAddress {
  readonly address: string;
  readonly family: 4 | 6;
  readonly isPublic: boolean;
}

/** The addresses of a name. Errors: whatever DNS says. */
export type Resolve = (host: string) => Promise<readonly string[]>;

/** Answers addresses only; undefined when one of them must not be connected to, or there is none. */
export type CheckAddress = (host: string) => Promise<CheckedAddress | undefined>;

/**
 * The same without asking anybody: for an address, and for the names of this machine itself
 * (https://www.rfc-editor.org/rfc/rfc6761#section-6.3). Null for any other name.
 */
export type CheckLiteral = (host: string) => CheckedAddress | undefined | null;

type Address = ReturnType<typeof ipaddr.process>;
type Network = ReturnType<typeof ipaddr.parseCIDR>;

/** Not link-local: the metadata services of clouds are there. */
const privateRanges: ReadonlySet<string> = new Set([
  'private',
  'loopback',
  'uniqueLocal',
  'carrierGradeNat',
]);
/** All that IANA has given out: https://www.iana.org/assignments/ipv6-address-space */
const globalUnicast = ipaddr.parseCIDR('2000::/3');
/** AWS's metadata service, within the unique local addresses. */
const metadata = ipaddr.parseCIDR('fd00:ec2::/32');

/**
 * Keeps those who may name a host from reaching our own network (server-side request forgery). A
 * name is refused when any one of its addresses is. Errors: of a CIDR that is none, at once; of
 * `resolve`.
 */
export function addressCheck(networks: ReachableNetworks, resolve: Resolve = dns): CheckAddress {
  const check = oneAddressCheck(networks);
  return async (host) => {
    const name = bareHost(host);
    const addresses = isIP(name) === 0 ? await resolve(name) : [name];
    const checked = addresses.map(check);
    return checked.includes(undefined) ? undefined : checked[0];
  };
}

/** Errors: of a CIDR that is none, at once. */
export function literalCheck(networks: ReachableNetworks): CheckLiteral {
  const check = oneAddressCheck(networks);
  return (host) => {
    const name = bareHost(host);
    if (isIP(name) !== 0) return check(name);
    return /^(?:.*\.)?localhost\.?$/i.test(name) ? check('127.0.0.1') : null;
  };
}

/** As a URL writes it, without the brackets. */
function bareHost(host: string): string {
  return host.startsWith('[') && host.endsWith(']') ? host.slice(1, -1) : host;
}

function oneAddressCheck(
  networks: ReachableNetworks,
): (text: string) => CheckedAddress | undefined {
  const allowed = 'allowed' in networks ? networks.allowed.map(parseNetwork) : [];
  const allowPrivate = 'allowPrivate' in networks && networks.allowPrivate;

  return (text) => {
    if (isIP(text) === 0) return undefined;
    // An IPv4 address within an IPv6 one (`::ffff:127.0.0.1`) is taken for what it is.
    const address = ipaddr.process(text);
    const isPublic = isPublicAddress(address);
    const isAllowed =
      isPublic ||
      (allowPrivate && privateRanges.has(address.range()) && !isWithin(address, metadata)) ||
      allowed.some((network) => isWithin(address, network));
    if (!isAllowed) return undefined;
    return { address: address.toString(), family: address.kind() === 'ipv4' ? 4 : 6, isPublic };
  };
}

function isPublicAddress(address: Address): boolean {
  if (address.range() !== 'unicast') return false;
  return address.kind() === 'ipv4' || isWithin(address, globalUnicast);
}

function isWithin(address: Address, network: Network): boolean {
  return address.kind() === network[0].kind() && address.match(network);
}

function parseNetwork(cidr: string): Network {
  if (!ipaddr.isValidCIDR(cidr)) throw new Error(`"${cidr}" is no network such as 10.20.0.0/16.`);
  return ipaddr.parseCIDR(cidr);
}

async function dns(host: string): Promise<readonly string[]> {
  const found = await lookup(host, { all: true });
  return found.map(({ address }) => address);
}
