import { setTimeout } from 'node:timers/promises';

import { SFNClient } from '@aws-sdk/client-sfn';
import { afterAll } from 'vitest';

import type { WorkflowTasks } from '../../src/adapters/local/local-workflows.ts';
import { sfnWorkflows } from '../../src/adapters/aws/sfn-workflows.ts';
import { emulatedMachine } from '../support/emulated-machine.ts';
import { describeWorkflowEngine, suiteDefinition } from './workflow-engine.suite.ts';

const client = new SFNClient({});
let tasks: WorkflowTasks = {};
const machine = await emulatedMachine({
  client,
  definition: suiteDefinition,
  tasks: () => tasks,
});
afterAll(async () => {
  await machine[Symbol.asyncDispose]();
  client.destroy();
});

/** One machine for all tests: each has processes of its own. */
describeWorkflowEngine('sfnWorkflows', async (given) => {
  tasks = given;
  const { stateMachineArn } = machine;
  return { engine: sfnWorkflows({ client, stateMachineArn }), pass: (ms) => setTimeout(ms) };
});
