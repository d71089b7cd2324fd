export * from './index.ts';
export { createClient, type NodeClientOptions } from './node/create-client.ts';
export { getPolicy } from './node/get-policy.ts';
export { deployPolicy, type DeployOptions } from './node/deploy-policy.ts';
export { packPackage, type PackedPolicy } from './node/pack-package.ts';
// A worker keeps secrets, and lives long: it is nothing for a page in a browser.
export {
  AttemptError,
  type AttemptErrorOptions,
  defineWorker,
  FinalError,
  type HandlerContext,
  type JobContext,
  type JobWorker,
  type Validator,
  type WorkerDefinition,
  type WorkerJob,
} from './jobs/define-worker.ts';
export { LeaseLostError } from './jobs/held-lease.ts';
export {
  type RunningWorker,
  runWorker,
  type RunWorkerOptions,
  type WorkerEvent,
} from './jobs/run-worker.ts';
