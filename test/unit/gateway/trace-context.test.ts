import { describe, expect, it } from 'vitest';
import { continueTrace } from '../../../src/core/gateway/trace-context.ts';

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
    expect(continueTrace(given, 'a=1,b=2', random)).toEqual({
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
    expect(continueTrace(given, 'a=1', random)).toEqual({
      traceparent: `00-${begun}-${span}-01`,
      tracestate: null,
      traceId: begun,
    });
  });

  it('makes ids that differ', () => {
    const ids = Array.from({ length: 50 }, () => continueTrace(undefined, undefined).traceparent);
    expect(new Set(ids).size).toBe(50);
  });
});
