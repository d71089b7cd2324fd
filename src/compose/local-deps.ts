import { readFile } from 'node:fs/promises';
import { cachedRecords } from '../adapters/local/cached-records.ts';
import { fileSecrets } from '../adapters/local/file-secrets.ts';
import { inProcessBus } from '../adapters/local/in-process-bus.ts';
import { inProcessSignal } from '../adapters/local/in-process-signal.ts';
import { localWorkflows } from '../adapters/local/local-workflows.ts';
import { prometheusMetrics } from '../adapters/local/prometheus-metrics.ts';
import type { SigningKeys } from '../adapters/local/signing-keys.ts';
import { jwksTokenVerifier } from '../adapters/runtime/jwks-token-verifier.ts';
import { systemClock } from '../adapters/runtime/system-clock.ts';
import { uuidIds } from '../adapters/runtime/uuid-ids.ts';
import type { Deps } from '../core/deps.ts';
import { cachedVerifier } from '../core/identity/cached-verifier.ts';
import { makeTasks } from '../core/rollouts/make-tasks.ts';
import type { Json } from '../core/values/json.ts';
import type { LocalConfig } from './local-config.ts';
import { localPartners } from './local-partners.ts';

const cacheBytes = 256 * 1024 * 1024;
const maxTokens = 100_000;
const stateMachine = new URL('../../statemachines/rollout.asl.json', import.meta.url);

/** The state machine that rollouts are driven by, as it is in the repository. */
export async function readStateMachine(): Promise<Json> {
  return JSON.parse(await readFile(stateMachine, 'utf8')) as Json;
}

/** Everything that the product is built on, in one process. */
export function localDeps(given: {
  readonly config: LocalConfig;
  readonly issuer: string;
  readonly keys: SigningKeys;
  readonly log: Deps['log'];
  readonly store: Parameters<typeof cachedRecords>[0];
  readonly blobs: Deps['blobs'];
  readonly definition: Json;
}) {
  const { config, issuer, keys, log, store, blobs, definition } = given;
  const clock = systemClock;
  const ids = uuidIds(clock);
  const verifier = jwksTokenVerifier({ issuer, jwks: keys.jwks });
  const deps = {
    records: cachedRecords(store, { maxBytes: cacheBytes, clock }),
    blobs,
    bus: inProcessBus(),
    signal: inProcessSignal(),
    verifier: cachedVerifier(verifier, clock, { maxTokens }),
    ids,
    clock,
    log,
    metrics: prometheusMetrics({ processMetrics: true }),
    secrets: fileSecrets({ dataDir: config.dataDir }),
    partners: localPartners(config),
    workflows: localWorkflows({ definition, tasks: () => tasks, clock, ids, log }),
  };
  // The tasks start other runs, and so are made of the very engine that runs them.
  const tasks = workflowTasks(deps);
  return deps;
}

function workflowTasks(deps: Parameters<typeof makeTasks>[0]) {
  // The state machine hands each task the input that its type asks for.
  return makeTasks(deps) as unknown as ReturnType<Parameters<typeof localWorkflows>[0]['tasks']>;
}
