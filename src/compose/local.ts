import { mkdir } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { loadClients, type RegisteredClient } from '../adapters/local/client-registry.ts';
import { openDiskBlobs } from '../adapters/local/disk-blobs.ts';
import { loadSigningKeys } from '../adapters/local/signing-keys.ts';
import { openSqliteRecords } from '../adapters/local/sqlite-records.ts';
import { jsonLog } from '../adapters/runtime/json-log.ts';
import { systemClock } from '../adapters/runtime/system-clock.ts';
import type { Deps } from '../core/deps.ts';
import { eventsOf } from '../core/events-of.ts';
import type { JournalEntry } from '../core/journal/journal-entry.ts';
import { keepRelaying } from '../core/journal/keep-relaying.ts';
import { keepDelivering } from '../core/partners/deliver-due.ts';
import { keepActivating } from '../core/policies/activate-due.ts';
import { keepReconciling } from '../core/rollouts/reconcile-runs.ts';
import { tellOfRollback } from '../core/rollouts/tell-of-rollback.ts';
import { answerBrokenRequests } from '../http/answer-broken-requests.ts';
import { nodeListener } from '../http/node-listener.ts';
import { localApp } from './local-app.ts';
import { localDeps, readStateMachine } from './local-deps.ts';
import type { LocalConfig } from './local-config.ts';

/** How soon a run that nobody drives is found. */
const reconcileMs = 5000;
/** How long requests that are under way may take to end. */
const graceMs = 5000;

export interface LocalServer {
  readonly url: string;
  readonly clients: readonly RegisteredClient[];
  /** Ends streams, lets requests finish, and closes the store. What is not relayed yet is at the next start. */
  readonly close: () => Promise<void>;
}

/** Everything in one process, on loopback. Errors: a port or a data folder that is taken. */
export async function startLocal(
  config: LocalConfig,
  write: (line: string) => void,
): Promise<LocalServer> {
  const log = jsonLog({ write, clock: systemClock, level: config.logLevel });
  await mkdir(config.dataDir, { recursive: true, mode: 0o700 });
  const file = join(config.dataDir, 'hms.sqlite');
  const store = await openSqliteRecords({ file, clock: systemClock });
  const server = createServer();
  try {
    const keys = await loadSigningKeys(config.dataDir);
    const clients = await loadClients(config.dataDir);
    const blobs = await openDiskBlobs({ root: join(config.dataDir, 'blobs') });
    const definition = await readStateMachine();
    const port = await listen(server, config.port);
    // Nothing is awaited from here until requests are heard: one that comes before is never answered.
    const url = `http://127.0.0.1:${port}`;
    const deps = localDeps({ config, issuer: url, keys, log, store, blobs, definition });
    const stop = new AbortController();
    const app = localApp(deps, { url, keys, clients, stop: stop.signal });
    server.on('request', nodeListener(deps, app));
    answerBrokenRequests(server, deps);
    const background = startBackground(deps, clients, stop.signal);
    log.info('listening', { url, dataDir: config.dataDir });
    const close = async () => {
      stop.abort();
      await closeServer(server);
      await Promise.all([background, deps.workflows.close()]);
      store.close();
      log.info('stopped');
    };
    return { url, clients, close };
  } catch (error) {
    server.close();
    store.close();
    throw error;
  }
}

/** Resolves when everything that runs beside the requests has come to its end after `stop`. */
async function startBackground(
  deps: Deps,
  clients: readonly RegisteredClient[],
  stop: AbortSignal,
): Promise<void> {
  const react = (tenant: string, entry: JournalEntry) => tellOfRollback(deps, tenant, entry);
  const relay = { ...deps, eventsOf, react };
  const tenants = new Set(clients.map(({ tenant }) => tenant));
  await Promise.all([
    ...[...tenants].map((tenant) => keepRelaying(relay, tenant, stop)),
    keepActivating(deps, stop),
    keepReconciling(deps, reconcileMs, stop),
    keepDelivering(deps, stop),
  ]);
}

async function listen(server: Server, port: number): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const taken = error.code === 'EADDRINUSE';
      reject(
        taken
          ? new Error(`Port ${port} is in use. Set PORT to another one.`, { cause: error })
          : error,
      );
    });
    server.listen(port, '127.0.0.1', resolve);
  });
  return (server.address() as AddressInfo).port;
}

async function closeServer(server: Server): Promise<void> {
  const cut = setTimeout(() => server.closeAllConnections(), graceMs);
  // What is busy now, such as a stream that ends, would be kept alive when it is done.
  const idle = setInterval(() => server.closeIdleConnections(), 20);
  await new Promise<void>((resolve) => {
    server.close(() => resolve());
  });
  clearInterval(idle);
  clearTimeout(cut);
}
