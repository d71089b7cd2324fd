import { expect, it } from 'vitest';
import {
  AppError,
  InvalidRequest,
  NotFound,
  ServiceFailed,
  Unavailable,
} from '../../../src/core/errors/app-error.ts';
import { countedGateway } from '../../../src/core/gateway/counted-gateway.ts';
import type { GatewayAnswer, GatewayCall } from '../../../src/core/gateway/gateway-call.ts';
import { continueTrace } from '../../../src/core/tracing/trace-context.ts';
import { coreDeps } from '../../support/core-deps.ts';

const call: GatewayCall = {
  principal: { tenant: 'demo', actor: 'ann', subject: 'ann' },
  requestId: 'request-1',
  trace: continueTrace(undefined, undefined),
  service: 'check',
  method: 'GET',
  target: '/',
  headers: [],
  body: null,
  from: { address: undefined, scheme: 'http', host: 'hms' },
};

const answer = (status: number, body: GatewayAnswer['body'] = null): GatewayAnswer => ({
  status,
  headers: {},
  body,
  discard: () => undefined,
});

/** Makes one call that takes 7 ms, and answers what is counted, and its answer, if there is one. */
async function counted(
  answered: () => GatewayAnswer,
  change: Partial<GatewayCall> = {},
): Promise<{ deps: ReturnType<typeof coreDeps>; answer: GatewayAnswer | undefined }> {
  const deps = coreDeps();
  const gateway = countedGateway(deps, async () => {
    deps.clock.set(deps.clock.nowMs() + 7);
    return answered();
  });
  const made = await gateway({ ...call, ...change }).catch(() => undefined);
  return { deps, answer: made };
}

const raise = (error: unknown) => () => {
  throw error;
};
const gone = AbortSignal.abort();

type Counted = [string, string | null, () => GatewayAnswer, AbortSignal?];

const calls: Counted[] = [
  ['answered', 'check', () => answer(200)],
  ['answered', 'check', () => answer(404)],
  ['failed', 'check', () => answer(500)],
  ['failed', 'check', () => answer(503, new Uint8Array(2))],
  ['failed', 'check', raise(new ServiceFailed('unavailable', 'is red'))],
  ['failed', 'check', raise(new ServiceFailed('bad_gateway', 'no sound answer'))],
  ['failed', 'check', raise(new ServiceFailed('gateway_timeout', 'too late'))],
  [
    'abandoned',
    'check',
    raise(new ServiceFailed('gateway_timeout', 'too late', { isCallers: true })),
  ],
  ['abandoned', null, raise(new InvalidRequest('broke off')), gone],
  ['refused', null, raise(new InvalidRequest('no plain path'))],
  ['refused', null, raise(new NotFound('no such service'))],
  ['refused', null, raise(new AppError('too_many_requests', 'too many'))],
  ['internal', null, raise(new Unavailable('the store'))],
  ['internal', null, raise(new TypeError('a defect')), gone],
];

it.each<Counted>(calls)(
  'counts a call as %s, of %s',
  async (outcome, service, answered, signal) => {
    const { deps } = await counted(answered, signal === undefined ? {} : { signal });
    expect(deps.metrics.told).toEqual([['serviceCalled', 'demo', service, outcome, 7]]);
  },
);

async function* chunks(breaks: boolean): AsyncGenerator<Uint8Array> {
  yield new Uint8Array(1);
  if (breaks) throw new Error('reset');
}

async function read(body: GatewayAnswer['body'] | undefined): Promise<number> {
  let bytes = 0;
  if (body === null || body === undefined || body instanceof Uint8Array)
    throw new Error('no stream');
  for await (const chunk of body.chunks) bytes += chunk.byteLength;
  return bytes;
}

it('hands a stream on, and counts it once it breaks off', async () => {
  const whole = await counted(() => answer(200, { sizeBytes: null, chunks: chunks(false) }));
  expect(await read(whole.answer?.body)).toBe(1);
  expect(whole.deps.metrics.told).toHaveLength(1);
  const broken = await counted(() => answer(200, { sizeBytes: null, chunks: chunks(true) }));
  await expect(read(broken.answer?.body)).rejects.toThrow('reset');
  expect(broken.deps.metrics.told.slice(1)).toEqual([['serviceAnswerBroke', 'demo', 'check']]);
  expect(broken.deps.log.lines).toEqual([
    {
      level: 'warn',
      msg: 'service answer broke off',
      requestId: 'request-1',
      traceId: call.trace.traceId,
      tenant: 'demo',
      service: 'check',
    },
  ]);
});

it('does not blame a service for a stream whose reader has gone', async () => {
  const change = { signal: gone };
  const stream = { sizeBytes: null, chunks: chunks(true) };
  const left = await counted(() => answer(200, stream), change);
  await expect(read(left.answer?.body)).rejects.toThrow('reset');
  expect(left.deps.metrics.told).toHaveLength(1);
  expect(left.deps.log.lines).toEqual([]);
});
