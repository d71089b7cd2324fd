import type { WorkflowEngine } from '../ports/workflow-engine.ts';

/** A workflow engine that is loaded by its first call: most steps of a run need none. */
export function lazyWorkflows(load: () => Promise<WorkflowEngine>): WorkflowEngine {
  let loading: Promise<WorkflowEngine> | undefined;
  const loaded = () => (loading ??= load());
  return {
    start: async (name, input) => (await loaded()).start(name, input),
    signal: async (token, result) => (await loaded()).signal(token, result),
    status: async (name) => (await loaded()).status(name),
  };
}
