import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { mkdtemp, rm } from 'node:fs/promises';
import type { Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { startLocal } from '../../../src/compose/local.ts';

const minuteMs = 60_000;

it('the embedded server gives no caller its time without end', async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'hms-limits-'));
  onTestFinished(() => rm(dataDir, { recursive: true }));
  const config = {
    port: 0,
    dataDir,
    logLevel: 'error',
    allowPrivateTargets: false,
    governanceDefault: 'allow',
    limits: { tenant: null, client: null },
    mail: null,
  } as const;
  const local = await startLocal(config, () => undefined);
  onTestFinished(() => local.close());
  let server: Server | undefined;
  // The server is nobody's but its own: this is how node tells of it.
  const note = (message: unknown) => ({ server } = message as { server: Server });
  subscribe('http.server.request.start', note);
  onTestFinished(() => void unsubscribe('http.server.request.start', note));
  await (await fetch(`${local.url}/healthz`)).text();
  expect(server?.headersTimeout).toBeGreaterThan(0);
  expect(server?.headersTimeout).toBeLessThanOrEqual(minuteMs);
  expect(server?.requestTimeout).toBeGreaterThan(0);
  expect(server?.requestTimeout).toBeLessThanOrEqual(5 * minuteMs);
  expect(server?.keepAliveTimeout).toBeGreaterThan(0);
  expect(server?.keepAliveTimeout).toBeLessThanOrEqual(minuteMs);
});
