import { localWorkflows } from '../../src/adapters/local/local-workflows.ts';
import { coreDeps } from '../support/core-deps.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { describeWorkflowEngine, suiteDefinition } from './workflow-engine.suite.ts';

describeWorkflowEngine('localWorkflows', async (tasks) => {
  const clock = new ManualClock();
  const { ids, log } = coreDeps({ clock });
  const given = { definition: suiteDefinition, tasks: () => tasks, clock, ids, log };
  const engine = localWorkflows(given);
  return { engine, pass: (ms) => clock.advance(ms), close: () => engine.close() };
});
