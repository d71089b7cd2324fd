import type { Connection } from './connection.ts';

export interface SignalOptions {
  /** Gives the call up: it then throws the reason of the signal. */
  readonly signal?: AbortSignal | undefined;
}

export interface CallOptions extends SignalOptions {
  /** The service that the environment names, unless given. */
  readonly connection?: Connection | undefined;
}
