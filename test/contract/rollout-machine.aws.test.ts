import { setTimeout } from 'node:timers/promises';

import { paginateGetExecutionHistory, SFNClient } from '@aws-sdk/client-sfn';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { sfnWorkflows } from '../../src/adapters/aws/sfn-workflows.ts';
import { emulatedMachine } from '../support/emulated-machine.ts';
import {
  expectedCalls,
  rolloutDefinition,
  rolloutPaths,
  scriptedTasks,
} from '../support/rollout-paths.ts';

const giveUpAfterMs = 60_000;
const pauseMs = 250;

const client = new SFNClient({});
const scripts = rolloutPaths.map(({ script }) => script);
const scripted = scriptedTasks(scripts, () => engine);
const { tasks } = scripted;
const definition = rolloutDefinition;
const machine = await emulatedMachine({ client, definition, tasks: () => tasks });
const { stateMachineArn } = machine;
const engine = sfnWorkflows({ client, stateMachineArn });
afterAll(async () => {
  await machine[Symbol.asyncDispose]();
  client.destroy();
});

/** The very paths that the embedded engine takes, see test/unit/workflows/rollout-paths.test.ts. */
describe('the rollout on Step Functions', () => {
  // Together: each waits for some seconds.
  beforeAll(async () => {
    await Promise.all(scripts.map((_, run) => engine.start(`run-${run}`, { tenant: 'demo', run })));
  });

  it.each(rolloutPaths.map((path, run) => ({ title: path.title, path, run })))(
    'takes its path: $title',
    async ({ path, run }) => {
      await untilEnded(`run-${run}`);
      expect(await enteredStates(`run-${run}`)).toEqual(path.states);
      expect(scripted.calls(run)).toEqual(expectedCalls(path, 'demo', run));
    },
  );
});

async function untilEnded(name: string): Promise<void> {
  for (const begun = performance.now(); (await engine.status(name)) !== 'ended';) {
    if (performance.now() - begun > giveUpAfterMs) throw new Error(`${name} does not end`);
    await setTimeout(pauseMs);
  }
}

/** Without those within a map: the emulator does not tell them. */
async function enteredStates(name: string): Promise<readonly (string | undefined)[]> {
  const executionArn = `${stateMachineArn.replace(':stateMachine:', ':execution:')}:${name}`;
  const names: (string | undefined)[] = [];
  for await (const { events = [] } of paginateGetExecutionHistory({ client }, { executionArn })) {
    const entered = events.flatMap(({ stateEnteredEventDetails: details }) => details ?? []);
    names.push(...entered.map((details) => details.name));
  }
  return names.filter((state) => state !== 'Replay batch');
}
