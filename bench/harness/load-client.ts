import { connect } from 'node:net';
import { answerQuestions } from './program.ts';
import { ascending, quantile } from './statistics.ts';

/** Requests over keep-alive connections on loopback, at most one outstanding on each. */
export interface Load {
  readonly port: number;
  /** The bytes to send, as Latin-1. */
  readonly request: string;
  /** What every response must have. */
  readonly status: number;
  readonly connections: number;
  /** Over all connections; null: each sends as soon as it has its answer. */
  readonly requestsPerSecond: number | null;
  readonly seconds: number;
  /** Ends the load before its time. */
  readonly maxRequests: number;
}

export interface LoadResult {
  readonly requests: number;
  readonly seconds: number;
  /** Of one response: all of them must have the same. */
  readonly responseBytes: number;
  /** From when a request was due: what waits for the answer before it counts as slow, too. */
  readonly p50Us: number;
  readonly p99Us: number;
}

interface Tally {
  readonly latenciesMs: Float64Array;
  sent: number;
  done: number;
  responseBytes: number;
  readonly startedMs: number;
}

const bufferBytes = 64 * 1024;

answerQuestions(async (question): Promise<LoadResult> => {
  const load = question as Load;
  const tally: Tally = {
    latenciesMs: new Float64Array(load.maxRequests),
    sent: 0,
    done: 0,
    responseBytes: 0,
    startedMs: performance.now(),
  };
  await Promise.all(Array.from({ length: load.connections }, (_, i) => drive(load, tally, i)));
  const seconds = (performance.now() - tally.startedMs) / 1000;
  const sorted = tally.latenciesMs.subarray(0, tally.done).sort(ascending);
  return {
    requests: tally.done,
    seconds,
    responseBytes: tally.responseBytes,
    p50Us: quantile(sorted, 0.5) * 1000,
    p99Us: quantile(sorted, 0.99) * 1000,
  };
});

/** One connection, until the time or the number of requests is over. */
async function drive(load: Load, tally: Tally, index: number): Promise<void> {
  const { connections, requestsPerSecond, seconds } = load;
  const request = Buffer.from(load.request, 'latin1');
  const endsAtMs = tally.startedMs + seconds * 1000;
  const intervalMs = requestsPerSecond === null ? 0 : (connections / requestsPerSecond) * 1000;
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  let dueMs = tally.startedMs + (index / connections) * intervalMs;
  let received = 0;

  const send = () => {
    const nowMs = performance.now();
    if (nowMs >= endsAtMs || tally.sent === load.maxRequests) {
      socket.destroy();
    } else if (nowMs < dueMs) {
      // No timer is fine enough.
      setImmediate(send);
    } else {
      if (intervalMs === 0) dueMs = nowMs;
      tally.sent++;
      received = 0;
      socket.write(request);
    }
  };
  const receive = (bytes: Uint8Array) => {
    if (received === 0) {
      if (statusOf(bytes) !== load.status) throw new Error(`status ${statusOf(bytes)}`);
      tally.responseBytes ||= responseLength(bytes);
    }
    received += bytes.length;
    if (received < tally.responseBytes) return;
    if (received > tally.responseBytes) throw new Error('responses differ in length');
    tally.latenciesMs[tally.done++] = performance.now() - dueMs;
    dueMs += intervalMs;
    send();
  };

  const socket = connect({
    port: load.port,
    host: '127.0.0.1',
    noDelay: true,
    onread: {
      buffer: Buffer.alloc(bufferBytes),
      callback(length, buffer) {
        try {
          receive(buffer.subarray(0, length));
        } catch (error) {
          socket.destroy(error as Error);
        }
        return true;
      },
    },
  });
  socket.once('connect', send);
  socket.once('error', reject);
  socket.once('end', () => reject(new Error('the server closed a connection')));
  socket.once('close', () => resolve());
  await promise;
}

/** From `HTTP/1.1 304`. */
function statusOf(bytes: Uint8Array): number {
  return (bytes[9] ?? 0) * 100 + (bytes[10] ?? 0) * 10 + (bytes[11] ?? 0) - 48 * 111;
}

/** Of the first response, which on loopback comes with its headers in one piece. */
function responseLength(bytes: Uint8Array): number {
  const text = Buffer.from(bytes).toString('latin1');
  const headEnd = text.indexOf('\r\n\r\n');
  if (headEnd < 0) throw new Error('the headers of the first response came in pieces');
  const length = /^content-length: (\d+)/im.exec(text.slice(0, headEnd))?.[1] ?? '0';
  return headEnd + 4 + Number(length);
}
