import { readFile } from 'node:fs/promises';
import { bucketRateLimiter } from '../adapters/local/bucket-rate-limiter.ts';
import { cachedRecords } from '../adapters/local/cached-records.ts';
import { fileSecrets } from '../adapters/local/file-secrets.ts';
import { inProcessBus } from '../adapters/local/in-process-bus.ts';
import { inProcessSignal } from '../adapters/local/in-process-signal.ts';
import { localWorkflows } from '../adapters/local/local-workflows.ts';
import { prometheusMetrics } from '../adapters/local/prometheus-metrics.ts';
import { signedUploadGate } from '../adapters/local/signed-upload-gate.ts';
import type { SigningKeys } from '../adapters/local/signing-keys.ts';
import { httpHealthProbe } from '../adapters/runtime/http-health-probe.ts';
import { httpServiceCaller } from '../adapters/runtime/http-service-caller.ts';
import { jwksTokenVerifier } from '../adapters/runtime/jwks-token-verifier.ts';
import { systemClock } from '../adapters/runtime/system-clock.ts';
import { uuidIds } from '../adapters/runtime/uuid-ids.ts';
import type { Deps } from '../core/deps.ts';
import { commitLanes } from '../core/journal/commit-lanes.ts';
import { serviceGateway } from '../core/gateway/service-gateway.ts';
import { cachedVerifier } from '../core/identity/cached-verifier.ts';
import { makeTasks } from '../core/rollouts/make-tasks.ts';
import type { Json } from '../core/values/json.ts';
import type { LocalConfig } from './local-config.ts';
import { localPartners } from './local-partners.ts';

/** One process commits what comes together in one transaction: a second journal would split it. */
export const localJobJournals = 1;
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
  /** Of this server, and so of its issuer. */
  readonly url: string;
  readonly keys: SigningKeys;
  readonly uploadKey: Uint8Array;
  readonly log: Deps['log'];
  readonly store: Parameters<typeof cachedRecords>[0];
  readonly blobs: Deps['blobs'];
  readonly queue: Deps['queue'];
  readonly definition: Json;
}) {
  const { config, url, keys, uploadKey, log, store, blobs, queue, definition } = given;
  const clock = systemClock;
  const ids = uuidIds(clock);
  const verifier = jwksTokenVerifier({ issuer: url, jwks: keys.jwks });
  const caller = httpServiceCaller({ networks: { allowPrivate: config.allowPrivateTargets } });
  const records = cachedRecords(store, { maxBytes: cacheBytes, clock });
  const signal = inProcessSignal();
  const secrets = fileSecrets({ dataDir: config.dataDir });
  const metrics = prometheusMetrics({ processMetrics: true });
  const deps = {
    records,
    blobs,
    bus: inProcessBus(),
    signal,
    queue,
    uploads: signedUploadGate({ url, key: uploadKey, clock }),
    lanes: commitLanes({ records, clock, ids, signal }),
    jobJournals: localJobJournals,
    verifier: cachedVerifier(verifier, clock, { maxTokens }),
    ids,
    clock,
    log,
    metrics,
    secrets,
    partners: localPartners(config),
    caller,
    gateway: serviceGateway({ records, clock, ids, log, metrics, caller, secrets }),
    limiter: bucketRateLimiter(config.limits),
    probe: httpHealthProbe({ networks: { allowPrivate: config.allowPrivateTargets } }),
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
