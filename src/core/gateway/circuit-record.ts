import { sha256Hex } from '../packages/digest.ts';
import type { KeyOf } from '../records.ts';
import type { ServiceRef } from '../registry/service-keys.ts';

/** An open circuit, for all processes to see; there is none of one that is closed. */
export interface CircuitRecord {
  /** Of the target. */
  readonly url: string;
  /** What `Circuit.resume` takes. */
  readonly saved: unknown;
  /** How often in a row it has opened. */
  readonly times: number;
  /** Unix ms from which on a call may probe the target. */
  readonly untilMs: number;
  /** Who probes it now: nobody else does before that time is over. */
  readonly probe: { readonly by: string; readonly untilMs: number } | null;
}

/** The open circuits of a service. */
export function circuitsPartition({ tenant, name }: ServiceRef): string {
  return `${tenant}#circuits#${name}`;
}

export function circuitKey(ref: ServiceRef, url: string): KeyOf<CircuitRecord> {
  const hash = sha256Hex(new TextEncoder().encode(url));
  return { partition: circuitsPartition(ref), sort: hash };
}

const firstMs = 5000;
const maxMs = 60_000;

/** How long a circuit stays open that has opened so often in a row. */
export function openForMs(times: number): number {
  return Math.min(maxMs, firstMs * 2 ** (times - 1));
}

/** Nobody called in that time: the record goes, and the circuit is closed. */
export const forgetAfterMs = 600_000;
