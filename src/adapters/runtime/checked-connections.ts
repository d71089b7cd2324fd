import * as http from 'node:http';
import * as https from 'node:https';
import { isIP, type LookupFunction } from 'node:net';
import { LRUCache } from 'lru-cache';
import {
  addressCheck,
  type CheckedAddress,
  type ReachableNetworks,
  type Resolve,
} from './public-address.ts';

/** What to connect by, to one scheme, host and port. */
export interface Route {
  readonly url: URL;
  readonly agent: http.Agent;
  /** Answers addresses that are fit to be connected to, and no others. */
  readonly lookup: LookupFunction;
}

/** An address must not be connected to. Its code is for people. */
export class AddressRefused extends Error {
  override readonly name = 'AddressRefused';
  readonly code: 'ADDRESS_NOT_ALLOWED' | 'HTTPS_NEEDED';

  constructor(code: AddressRefused['code']) {
    super(code);
    this.code = code;
  }
}

/** Longer than that, many servers do not wait for the next request (gunicorn: 2 s). */
const idleSocketMs = 1500;
const maxRoutes = 5000;
const pool = {
  keepAlive: true,
  timeout: idleSocketMs,
  scheduling: 'lifo',
  maxSockets: 1024,
  maxTotalSockets: 4096,
  maxFreeSockets: 64,
} as const;

/**
 * Connections that are kept and used again, each to an address that was checked when it was made.
 * `http:` only to private networks, where those are allowed. Errors: a network that is no CIDR.
 */
export class CheckedConnections {
  readonly #agents = { 'http:': new http.Agent(pool), 'https:': new https.Agent(pool) };
  readonly #check: ReturnType<typeof addressCheck>;
  readonly #routes = new LRUCache<string, Route>({ max: maxRoutes });

  constructor(networks: ReachableNetworks, resolve?: Resolve) {
    this.#check = addressCheck(networks, resolve);
  }

  /** Errors: `AddressRefused`, when the host is an address itself; else `lookup` ends in it. */
  async routeTo(origin: string): Promise<Route> {
    // What an address is does not change, and a name is asked for with each connection.
    const known = this.#routes.get(origin);
    if (known !== undefined) return known;
    const url = new URL(origin);
    const { protocol, hostname } = url;
    if (protocol !== 'http:' && protocol !== 'https:') throw new TypeError(`no HTTP: ${protocol}`);
    const fit = async (host: string): Promise<CheckedAddress> => {
      const found = await this.#check(host);
      if (found === undefined) throw new AddressRefused('ADDRESS_NOT_ALLOWED');
      if (found.isPublic && protocol === 'http:') throw new AddressRefused('HTTPS_NEEDED');
      return found;
    };
    // Of an address, nobody asks where it leads.
    if (isIP(hostname.replace(/^\[(.*)\]$/, '$1')) !== 0) await fit(hostname);
    const route = { url, agent: this.#agents[protocol], lookup: lookupBy(fit) };
    this.#routes.set(origin, route);
    return route;
  }

  close(): void {
    for (const agent of Object.values(this.#agents)) agent.destroy();
  }
}

function lookupBy(fit: (host: string) => Promise<CheckedAddress>): LookupFunction {
  const answer: Answer = async (host, { all }, done) => {
    let found: CheckedAddress;
    try {
      found = await fit(host);
    } catch (error) {
      done(error as NodeJS.ErrnoException, '');
      return;
    }
    const { address, family } = found;
    if (all === true) done(null, [{ address, family }]);
    else done(null, address, family);
  };
  return (...asked) => void answer(...asked);
}

type Answer = (...asked: Parameters<LookupFunction>) => Promise<void>;
