import { type CelValue, parse, plan } from '@bufbuild/cel';
import { standardEnv } from './metered-env.ts';

const timestamp = plan(standardEnv, parse('timestamp(text)').expr);

/** A moment, in Unix ms of the years 1 to 9999, as CEL has it: with `getHours()` and the like. */
export function celTimeOf(timeMs: number): CelValue {
  const value = timestamp({ text: new Date(timeMs).toISOString() });
  if (value instanceof Error) throw value;
  return value;
}
