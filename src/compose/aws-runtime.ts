import { emfMetrics } from '../adapters/aws/emf-metrics.ts';
import { pollingSignal } from '../adapters/aws/polling-signal.ts';
import { jsonLog, type LogLevel } from '../adapters/runtime/json-log.ts';
import { jwksTokenVerifier } from '../adapters/runtime/jwks-token-verifier.ts';
import { systemClock } from '../adapters/runtime/system-clock.ts';
import { uuidIds } from '../adapters/runtime/uuid-ids.ts';
import type { Deps } from '../core/deps.ts';
import { cachedVerifier } from '../core/identity/cached-verifier.ts';
import { setting } from './aws-config.ts';

/** Functions are small and many: each holds the tokens that it sees. */
const maxTokens = 10_000;

const write = (line: string) => {
  process.stdout.write(line);
};

/** What every function has, whatever else it may do. */
export function awsRuntime(): Pick<Deps, 'clock' | 'ids' | 'log' | 'metrics' | 'signal'> {
  const clock = systemClock;
  const level = (process.env['HMS_LOG_LEVEL'] ?? 'info') as LogLevel;
  return {
    clock,
    ids: uuidIds(clock),
    log: jsonLog({ write, clock, level }),
    metrics: emfMetrics({ clock, write, namespace: process.env['HMS_METRICS_NAMESPACE'] }),
    signal: pollingSignal({ clock }),
  };
}

/** For functions that answer calls. */
export function awsVerifier(): Deps['verifier'] {
  const issuer = setting('HMS_ISSUER');
  const jwksUri = setting('HMS_JWKS_URI');
  return cachedVerifier(jwksTokenVerifier({ issuer, jwksUri }), systemClock, { maxTokens });
}
