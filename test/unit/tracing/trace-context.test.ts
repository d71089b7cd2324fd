import { describe, expect, it } from 'vitest';
import { continueTrace } from '../../../src/core/tracing/trace-context.ts';

const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
const parent = '00f067aa0ba902b7';
const random = (bytes: number) => 'ab'.repeat(bytes);
const span = random(8);

describe('continueTrace', () => {
  it.each([
    [`00-${traceId}-${parent}-01`, '01'],
    [`00-${traceId}-${parent}-00`, '00'],
    [`00-${traceId}-${parent}-ff`, '01'],
    [`cc-${traceId}-${parent}-01`, '01'],
    [`cc-${traceId}-${parent}-01-what-the-future-brings`, '01'],
  ])('carries %s on with a span of its own', (given, flags) => {
    expect(continueTrace(given, 'a=1,b=2', { random })).toEqual({
      traceparent: `00-${traceId}-${span}-${flags}`,
      tracestate: 'a=1,b=2',
      traceId,
    });
  });

  it.each([
    undefined,
    '',
    'none',
    `00-${traceId}-${parent}`,
    `00-${traceId}-${parent}-01-more`,
    `ff-${traceId}-${parent}-01`,
    `00-${'0'.repeat(32)}-${parent}-01`,
    `00-${traceId}-${'0'.repeat(16)}-01`,
    `00-${traceId.toUpperCase()}-${parent}-01`,
    `00-${traceId}-${parent}-01, 00-${traceId}-${parent}-01`,
  ])('begins a trace where %s is given', (given) => {
    const begun = random(16);
    expect(continueTrace(given, 'a=1', { random })).toEqual({
      traceparent: `00-${begun}-${span}-01`,
      tracestate: null,
      traceId: begun,
    });
  });

  const root = `1-${traceId.slice(0, 8)}-${traceId.slice(8)}`;

  it.each([
    [`Root=${root};Parent=${parent};Sampled=1`, '01'],
    [`Root=${root};Parent=${parent};Sampled=0;Lineage=a87bd80c:0`, '00'],
    [`Root=${root}`, '00'],
    [`Self=1-67891234-12456789abcdef012345678; Root=${root} ;Sampled=1`, '01'],
  ])('goes on with the trace of X-Ray where there is no other: %s', (xray, flags) => {
    const trace = { traceparent: `00-${traceId}-${span}-${flags}`, tracestate: null, traceId };
    for (const given of [undefined, 'none', `00-${'0'.repeat(32)}-${parent}-01`]) {
      expect(continueTrace(given, 'a=1', { xray, random })).toEqual(trace);
    }
    const own = `00-${'c'.repeat(32)}-${parent}-01`;
    expect(continueTrace(own, undefined, { xray, random }).traceId).toBe('c'.repeat(32));
  });

  it.each([
    '',
    'none',
    `Root=2-${traceId.slice(0, 8)}-${traceId.slice(8)}`,
    `Root=1-${'0'.repeat(8)}-${'0'.repeat(24)};Sampled=1`,
    `Root=${root.toUpperCase()}`,
    `Roots=${root}x`,
    `xRoot=${root}`,
    `${'a=b;'.repeat(200)}Root=${root}`,
  ])('takes nothing of an X-Ray header that is %j', (xray) => {
    expect(continueTrace(undefined, undefined, { xray, random }).traceId).toBe(random(16));
  });

  it('makes ids that differ', () => {
    const ids = Array.from({ length: 50 }, () => continueTrace(undefined, undefined).traceparent);
    expect(new Set(ids).size).toBe(50);
  });
});
