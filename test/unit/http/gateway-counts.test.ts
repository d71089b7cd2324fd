import type { IncomingHttpHeaders, ServerResponse } from 'node:http';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type GatewayDesk, startGatewayDesk } from '../../support/gateway-desk.ts';
import { startService, type TestService } from '../../support/start-service.ts';

/** The same whether the call goes past the app or not. */
describe.each([true, false])('a call of a service, past the app: %s', (isFast) => {
  let desk: GatewayDesk;
  let service: TestService;
  let answer: (response: ServerResponse) => void;
  const seen: IncomingHttpHeaders[] = [];

  beforeEach(async () => {
    seen.length = 0;
    answer = (response) => void response.end();
    desk = await startGatewayDesk({}, { isFast });
    service = await startService((request, response) => {
      seen.push(request.headers);
      answer(response);
    });
    await desk.register({ url: service.origin });
  });

  afterEach(async () => {
    await desk[Symbol.asyncDispose]();
    await service.stop();
  });

  it.each([
    ['answers 503', 'check', 'failed', 503],
    ['is not there', 'check', 'failed', 503],
    ['does not exist', 'nobody', 'refused', 404],
  ] as const)('that %s is counted, and is no failure of ours', async (what, ...counted) => {
    const [name, outcome, status] = counted;
    answer = (response) => void response.writeHead(503).end();
    if (what === 'is not there') await service.stop();
    const response = await desk.call(`/svc/${name}/check`, { method: 'POST', body: 'x' });
    expect(response.status).toBe(status);
    const [called, done] = desk.deps.metrics.told;
    const asked = name === 'check' ? name : null;
    expect(called?.slice(0, 4)).toEqual(['serviceCalled', 'demo', asked, outcome]);
    expect(done?.slice(0, 3)).toEqual(['requestDone', 'callService', status]);
    expect(done?.[4] ?? false).toBe(status === 503);
    expect(desk.deps.log.lines.filter(({ level }) => level === 'error')).toEqual([]);
  });

  it('whose caller goes away before there is an answer is ended, and nobody is blamed', async () => {
    const closed = Promise.withResolvers<void>();
    answer = (response) => void response.on('close', closed.resolve);
    const call = desk.call('/svc/check/check', { signal: AbortSignal.timeout(100) });
    await expect(call).rejects.toThrow();
    await closed.promise;
    await expect.poll(() => desk.deps.metrics.told.length).toBe(2);
    expect(desk.deps.log.lines.filter(({ level }) => level !== 'info')).toEqual([]);
    const [called, done] = desk.deps.metrics.told;
    expect(called?.slice(0, 4)).toEqual(['serviceCalled', 'demo', null, 'abandoned']);
    expect(done?.[2]).toBeLessThan(500);
  });

  it('carries a trace on, or begins one, and the log says which', async () => {
    const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
    for (const traceparent of [`00-${traceId}-00f067aa0ba902b7-01`, 'none']) {
      const headers = { traceparent, tracestate: 'a=1' };
      await desk.call('/svc/check/check', { method: 'POST', body: 'x', headers });
    }
    const [first, second] = seen;
    expect(first?.['traceparent']).toMatch(
      new RegExp(`^00-${traceId}-(?!00f067aa)[0-9a-f]{16}-01$`),
    );
    expect(first?.['tracestate']).toBe('a=1');
    expect(second?.['traceparent']).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/);
    expect(second).not.toHaveProperty('tracestate');
    const about = { tenant: 'demo', actor: 'service', params: { name: 'check' }, status: 200 };
    const begun = String(second?.['traceparent']).split('-')[1];
    expect(desk.deps.log.lines).toMatchObject([
      { traceId, ...about },
      { traceId: begun, ...about },
    ]);
    expect(begun).not.toBe(traceId);
  });
});
