import { type IncomingMessage, type Server, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';
import type { Deps } from '../../core/deps.ts';
import { AppError, Unauthenticated, Unavailable } from '../../core/errors/app-error.ts';
import type { Principal } from '../../core/identity/principal.ts';
import { shareReads } from '../../core/journal/share-reads.ts';
import { redeemTicket } from '../../core/push/tickets.ts';
import { pageLength } from '../journal-reading.ts';
import { problemReply } from '../problem-reply.ts';
import { type SessionDeps, type SessionLimits, SocketSession } from './socket-session.ts';

export type SocketDeps = Omit<SessionDeps, 'readAfter'> & Pick<Deps, 'metrics'>;

export interface SocketLimits extends SessionLimits {
  /** Connections at a time, of all tenants and of one; the next caller is told to come back. */
  readonly maxOpen: number;
  readonly maxOpenOfTenant: number;
}

/** Where WebSockets are opened. */
export const socketPath = '/api/ws';

/** API Gateway takes no larger frame, either. A larger one ends the connection with code 1009. */
const maxPayload = 32 * 1024;
/** How long a connection is read after its refusal: one that is closed at once may lose the answer. */
const lingerMs = 1000;

/** Whether a request is to become a WebSocket: all others are answered as if they had not asked. */
export function isSocketRequest({ method, url = '', headers }: IncomingMessage): boolean {
  return (
    method === 'GET' && pathOf(url) === socketPath && headers.upgrade?.toLowerCase() === 'websocket'
  );
}

/**
 * Opens WebSockets on a server, for whoever brings a ticket. Neither cookie nor header says who that
 * is: a page of any origin may connect, and gets nowhere without one.
 */
export function acceptSockets(server: Server, given: SocketDeps, limits: SocketLimits): void {
  const sockets = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    maxPayload,
  });
  const deps: SessionDeps = { ...given, readAfter: shareReads(given, pageLength) };
  const places = new Places(limits);

  async function admit(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    const leave = places.enter();
    try {
      const principal = await principalOf(deps, request.url ?? '');
      const leaveTenant = places.enterTenant(principal.tenant);
      socket.once('close', leaveTenant);
      if (socket.destroyed) leaveTenant();
      sockets.handleUpgrade(request, socket, head, (opened) => {
        new SocketSession(deps, opened, principal, limits).start();
      });
    } finally {
      socket.once('close', leave);
      if (socket.destroyed) leave();
    }
  }

  server.on('upgrade', (request, socket, head) => {
    const startedMs = performance.now();
    const count = (status: number) =>
      given.metrics.requestDone('openSocket', status, performance.now() - startedMs);
    // A connection that breaks off while it is opened is nobody's failure.
    socket.on('error', () => socket.destroy());
    admit(request, socket, head).then(
      () => count(101),
      (error: unknown) => count(refuse(given, socket, error)),
    );
  });
}

async function principalOf(deps: SessionDeps, url: string): Promise<Principal> {
  const ticket = new URLSearchParams(url.slice(url.indexOf('?') + 1)).get('ticket') ?? '';
  const principal = await redeemTicket(deps, ticket);
  if (principal !== null) return principal;
  throw new Unauthenticated(
    'The ticket is not good, or was used. Get one by POST /api/stream/tickets and connect within 30 s.',
  );
}

/** Answers as HTTP does, and answers the status. */
function refuse(deps: SocketDeps, socket: Duplex, error: unknown): number {
  const requestId = deps.ids.next();
  const { status, headers, body } = problemReply(error, requestId, deps.log);
  const text = typeof body === 'string' ? body : '';
  const all = {
    ...headers,
    'content-length': String(Buffer.byteLength(text)),
    'x-content-type-options': 'nosniff',
    'x-request-id': requestId,
    connection: 'close',
  };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  setTimeout(() => socket.destroy(), lingerMs).unref();
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${lines.join('')}\r\n${text}`);
  return status;
}

function pathOf(url: string): string {
  const query = url.indexOf('?');
  return query === -1 ? url : url.slice(0, query);
}

/** How many connections there are. Each `enter` answers what is to be called once it has ended. */
class Places {
  readonly #limits: Pick<SocketLimits, 'maxOpen' | 'maxOpenOfTenant'>;
  readonly #ofTenants = new Map<string, number>();
  #open = 0;

  constructor(limits: Pick<SocketLimits, 'maxOpen' | 'maxOpenOfTenant'>) {
    this.#limits = limits;
  }

  /** Errors: `Unavailable` when there are too many. */
  enter(): () => void {
    if (this.#open >= this.#limits.maxOpen) {
      throw new Unavailable('Too many connections are open here. Try again.');
    }
    this.#open += 1;
    return once(() => {
      this.#open -= 1;
    });
  }

  /** Errors: `too_many_requests` when the tenant has too many. */
  enterTenant(tenant: string): () => void {
    const open = this.#ofTenants.get(tenant) ?? 0;
    if (open >= this.#limits.maxOpenOfTenant) {
      const message = `A tenant has at most ${open} connections here. Close some.`;
      throw new AppError('too_many_requests', message, { retryable: true });
    }
    this.#ofTenants.set(tenant, open + 1);
    return once(() => {
      const left = (this.#ofTenants.get(tenant) ?? 1) - 1;
      if (left === 0) this.#ofTenants.delete(tenant);
      else this.#ofTenants.set(tenant, left);
    });
  }
}

function once(run: () => void): () => void {
  let isDone = false;
  return () => {
    if (isDone) return;
    isDone = true;
    run();
  };
}
