import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../../src/adapters/runtime/system-clock.ts';
import { circuitsPartition } from '../../../src/core/gateway/circuit-record.ts';
import { memoryRecords } from '../../support/memory-records.ts';
import { type GatewayLoad, startGatewayLoad } from '../../support/fail-over-load.ts';
import { type GatewayDesk, startGatewayDesk } from '../../support/gateway-desk.ts';
import { startService, type TestService } from '../../support/start-service.ts';

const callers = 16;

/** In real time: circuits open for five seconds. */
describe('fail-over under load', () => {
  let desk: GatewayDesk;
  let primary: TestService;
  let secondary: TestService;
  let load: GatewayLoad;
  let hangs = false;

  beforeEach(async () => {
    hangs = false;
    desk = await startGatewayDesk({ records: memoryRecords(systemClock) });
    primary = await startService((_, response) => {
      setTimeout(() => hangs || response.end('primary'), 3);
    });
    secondary = await startService((_, response) => void response.end('secondary'));
    const urls = { url: primary.origin, secondaryUrl: secondary.origin };
    await desk.register({ ...urls, timeoutMs: 300 });
    load = startGatewayLoad(desk, '/svc/check/x', callers);
    await load.until(() => load.calls.length > 300, 10_000);
    expect(load.calls.every(({ status, by }) => status === 200 && by === 'primary')).toBe(true);
  });
  afterEach(async () => {
    await load.stop();
    await desk[Symbol.asyncDispose]();
    await primary.stop();
    await secondary.stop();
  });

  const openCircuits = async () => {
    const partition = circuitsPartition({ tenant: 'demo', name: 'check' });
    return (await desk.deps.records.query({ partition, limit: 10 })).length;
  };
  const failuresSince = (ms: number) =>
    load.calls.filter(({ status, endedMs }) => status !== 200 && endedMs >= ms);

  it('loses only what was under way and may not be repeated, when the primary is killed', async () => {
    const killedMs = performance.now();
    await primary.stop();
    await load.until(({ by }) => by === 'secondary', 2000);
    await expect.poll(openCircuits, { timeout: 2000 }).toBe(1);
    const openedMs = performance.now();
    await delay(500);
    const failures = failuresSince(killedMs);
    expect(failures.filter(({ method }) => method === 'GET')).toEqual([]);
    expect(failures.length).toBeLessThanOrEqual(callers / 2);
    expect(failures.every(({ status }) => status === 502)).toBe(true);
    expect(failuresSince(openedMs + 50)).toEqual([]);

    await primary.start();
    const startedMs = performance.now();
    await load.until(({ by }) => by === 'primary', 10_000);
    await expect.poll(openCircuits, { timeout: 2000 }).toBe(0);
    const backMs = performance.now();
    await delay(300);
    const since = load.calls.filter(({ endedMs }) => endedMs >= backMs + 50);
    expect(since.length).toBeGreaterThan(20);
    expect(since.every(({ by }) => by === 'primary')).toBe(true);
    expect(failuresSince(startedMs)).toEqual([]);
  });

  it('waits for no more than a few answers that do not come', async () => {
    hangs = true;
    const hungMs = performance.now();
    await load.until(({ by, status }) => by === 'secondary' && status === 200, 3000);
    await delay(500);
    const failures = failuresSince(hungMs);
    // Each caller waits once, at most twice: for what had begun before the circuit opened.
    expect(failures.length).toBeLessThanOrEqual(2 * callers);
    expect(failures.every(({ status }) => status === 504)).toBe(true);
    expect(load.calls.at(-1)).toMatchObject({ status: 200, by: 'secondary' });
    hangs = false;
    await load.until(({ by, status }) => by === 'primary' && status === 200, 12_000);
    await delay(300);
    expect(load.calls.at(-1)).toMatchObject({ status: 200, by: 'primary' });
  });
});
