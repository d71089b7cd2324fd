import { mkdir } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { loadClients, type RegisteredClient } from '../adapters/local/client-registry.ts';
import { openDiskBlobs } from '../adapters/local/disk-blobs.ts';
import { loadSigningKeys } from '../adapters/local/signing-keys.ts';
import { openSqliteJobQueue } from '../adapters/local/sqlite-job-queue.ts';
import { openSqliteRecords } from '../adapters/local/sqlite-records.ts';
import { loadUploadKey } from '../adapters/local/upload-key.ts';
import { jsonLog } from '../adapters/runtime/json-log.ts';
import { systemClock } from '../adapters/runtime/system-clock.ts';
import { answerBrokenRequests } from '../http/answer-broken-requests.ts';
import { manifestReplies } from '../http/manifest-replies.ts';
import { nodeListener } from '../http/node-listener.ts';
import { acceptSockets, isSocketRequest } from '../http/websocket/socket-server.ts';
import { localApp } from './local-app.ts';
import { runBackground } from './local-background.ts';
import type { LocalConfig } from './local-config.ts';
import { localDeps, readStateMachine } from './local-deps.ts';
import { localJobs } from './local-jobs.ts';

/**
 * Connections that may wait to be taken. A change makes many clients connect at the same moment; of
 * those beyond it, the system says nothing, and they try again after a second.
 */
const maxBacklog = 4096;
/** How long requests that are under way may take to end. */
const graceMs = 5000;

const socketLimits = {
  lifeMs: 3_600_000,
  pingMs: 15_000,
  maxOpen: 5000,
  maxOpenOfTenant: 2500,
};

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
  const { dataDir } = config;
  const clock = systemClock;
  const log = jsonLog({ write, clock, level: config.logLevel });
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  await using opening = new AsyncDisposableStack();
  const store = await openSqliteRecords({ file: join(dataDir, 'hms.sqlite'), clock });
  opening.defer(() => store.close());
  const queue = await openSqliteJobQueue({ file: join(dataDir, 'jobs.sqlite'), clock });
  opening.defer(() => queue.close());
  const keys = await loadSigningKeys(dataDir);
  const clients = await loadClients(dataDir);
  const blobs = await openDiskBlobs({ root: join(dataDir, 'blobs') });
  const uploadKey = await loadUploadKey(dataDir);
  const definition = await readStateMachine();
  const server = createServer({ shouldUpgradeCallback: isSocketRequest });
  opening.defer(() => void server.close());
  const port = await listen(server, config.port);
  // Nothing is awaited from here until requests are heard: one that comes before is never answered.
  const url = `http://127.0.0.1:${port}`;
  const opened = { store, blobs, queue, keys, uploadKey, definition };
  const base = localDeps({ config, url, log, ...opened });
  const deps = { ...base, ...localJobs(base, config), manifests: manifestReplies(base) };
  const stop = new AbortController();
  const app = localApp(deps, { url, keys, clients, stop: stop.signal });
  server.on('request', nodeListener(deps, app));
  answerBrokenRequests(server, deps);
  acceptSockets(server, deps, { ...socketLimits, stop: stop.signal });
  const background = runBackground(deps, clients, stop.signal);
  log.info('listening', { url, dataDir });
  const open = opening.move();
  const close = async () => {
    stop.abort();
    await closeServer(server);
    await Promise.all([background, deps.workflows.close()]);
    deps.caller.close();
    await open.disposeAsync();
    log.info('stopped');
  };
  return { url, clients, close };
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
    server.listen({ port, host: '127.0.0.1', backlog: maxBacklog }, resolve);
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
