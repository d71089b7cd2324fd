import { exitCodes } from './exit-codes.ts';
import { Failure } from './failure.ts';

/** A policy, and maybe one of its snapshots: `epa-pm25-limit@1.5.0`. */
export interface NamedSnapshot {
  readonly id: string;
  readonly snapshot: string | undefined;
}

const named = /^(?<id>[A-Za-z0-9._-]{1,128})(?:@(?<snapshot>[A-Za-z0-9.+:-]{1,160}))?$/;

/** Errors: `Failure` that says how it is written. */
export function parseSnapshotName(text: string): NamedSnapshot {
  const { id, snapshot } = named.exec(text)?.groups ?? {};
  if (id !== undefined) return { id, snapshot };
  throw new Failure(
    exitCodes.usage,
    `"${text}" names no policy: write ID, or ID@VERSION, such as epa-pm25-limit@1.5.0.`,
  );
}
