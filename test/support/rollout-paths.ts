import { readFileSync } from 'node:fs';

import type { WorkflowTasks } from '../../src/adapters/local/local-workflows.ts';
import type { RolloutTask, RolloutTasks } from '../../src/core/rollouts/rollout-tasks.ts';
import type { Json } from '../../src/core/values/json.ts';
import type { WorkflowEngine } from '../../src/ports/workflow-engine.ts';

/** What `statemachines/rollout.asl.json` holds. */
export const rolloutDefinition: Json = JSON.parse(
  readFileSync(new URL('../../statemachines/rollout.asl.json', import.meta.url), 'utf8'),
);

/** What a task answers; for one that waits, what its token is told. */
type Answer<Task extends RolloutTask> = Task extends 'request-approval'
  ? { readonly status: 'canary' | 'rollout' | 'ended' }
  : Task extends 'request-review'
    ? { readonly status: 'rollout' | 'ended' }
    : Awaited<ReturnType<RolloutTasks[Task]>>;

/** For each task what comes of it, call by call. */
export type RolloutScript = {
  readonly [Task in RolloutTask]?: readonly (
    | Answer<Task>
    | { readonly throws: string }
    | { readonly status: 'unheard-of' }
  )[];
};

export interface RolloutPath {
  readonly title: string;
  readonly script: RolloutScript;
  /** The states that it enters, those within the map left out. */
  readonly states: readonly string[];
}

const passed = { lint: [{ status: 'passed' }] } satisfies RolloutScript;
const planned = {
  ...passed,
  'plan-simulation': [{ status: 'planned', batches: [7, 8, 9] }],
  'replay-scenarios': [{ status: 'replayed' }, { status: 'replayed' }, { status: 'replayed' }],
} satisfies RolloutScript;
const canary = {
  ...planned,
  'judge-simulation': [{ status: 'canary' }],
  'start-canary': [{ status: 'observing', waitSeconds: 1 }],
} satisfies RolloutScript;
const through = {
  'release-rules': [{ status: 'released', waitSeconds: 1 }],
  'notify-partners': [{ status: 'notified', waitSeconds: 1 }],
} satisfies RolloutScript;

const simulate = ['Lint', 'Lint passed?', 'Simulate'];
const judge = [...simulate, 'Replay planned?', 'Replay', 'Judge simulation', 'Simulation passed?'];
const approve = ['Approve', 'Approved?'];
const start = ['Canary', 'Canary started?'];
const observe = ['Canary runs', 'Observe', 'Verdict?'];
const review = ['Review', 'Reviewed?'];
const release = ['Rollout', 'Rolled out?'];
const notify = ['Notify', 'All notified?'];
const finish = [...release, ...notify, 'Succeeded'];

/** Every status of every task, and so every transition of the state machine. */
export const rolloutPaths: readonly RolloutPath[] = [
  {
    title: 'the whole way',
    script: {
      ...canary,
      ...through,
      'observe-canary': [
        { status: 'observing', waitSeconds: 1 },
        { status: 'observing', waitSeconds: 1 },
        { status: 'rollout', waitSeconds: 1 },
      ],
      'notify-partners': [
        { status: 'waiting', waitSeconds: 1 },
        { status: 'notified', waitSeconds: 1 },
      ],
    },
    states: [
      ...judge,
      ...start,
      ...observe,
      ...observe,
      ...observe,
      ...release,
      ...notify,
      'Next attempt',
      ...notify,
      'Succeeded',
    ],
  },
  {
    title: 'with people, and held',
    script: {
      ...canary,
      ...through,
      'judge-simulation': [{ status: 'approve' }],
      'request-approval': [{ status: 'canary' }],
      'start-canary': [
        { status: 'held', waitSeconds: 1 },
        { status: 'observing', waitSeconds: 1 },
      ],
      'observe-canary': [{ status: 'review', waitSeconds: 1 }],
      'request-review': [{ status: 'rollout' }],
      'release-rules': [
        { status: 'held', waitSeconds: 1 },
        { status: 'released', waitSeconds: 1 },
      ],
    },
    states: [
      ...judge,
      ...approve,
      ...start,
      'Canary held',
      ...start,
      ...observe,
      ...review,
      ...release,
      'Rollout held',
      ...finish,
    ],
  },
  {
    title: 'without a canary',
    script: { ...planned, 'judge-simulation': [{ status: 'rollout' }], ...through },
    states: [...judge, ...finish],
  },
  {
    title: 'approved, without a canary',
    script: {
      ...planned,
      'judge-simulation': [{ status: 'approve' }],
      'request-approval': [{ status: 'rollout' }],
      ...through,
    },
    states: [...judge, ...approve, ...finish],
  },
  {
    title: 'with no scenarios',
    script: {
      ...passed,
      'plan-simulation': [{ status: 'planned', batches: [] }],
      'judge-simulation': [{ status: 'rollout' }],
      ...through,
    },
    states: [...judge, ...finish],
  },
  {
    title: 'errors that pass',
    script: {
      ...planned,
      lint: [{ throws: 'Unavailable' }, { throws: 'Conflict' }, { status: 'passed' }],
      'judge-simulation': [{ throws: 'Unavailable' }, { status: 'rollout' }],
      ...through,
    },
    states: [...judge, ...finish],
  },
  ended('lint', {}, ['Lint', 'Lint passed?']),
  ended('plan-simulation', passed, [...simulate, 'Replay planned?']),
  ended('judge-simulation', planned, judge),
  ended('request-approval', { ...planned, 'judge-simulation': [{ status: 'approve' }] }, [
    ...judge,
    ...approve,
  ]),
  ended('start-canary', canary, [...judge, ...start]),
  ended('observe-canary', canary, [...judge, ...start, ...observe]),
  ended('request-review', { ...canary, 'observe-canary': [{ status: 'review', waitSeconds: 1 }] }, [
    ...judge,
    ...start,
    ...observe,
    ...review,
  ]),
  ended('release-rules', { ...planned, 'judge-simulation': [{ status: 'rollout' }] }, [
    ...judge,
    ...release,
  ]),
  ended(
    'notify-partners',
    { ...planned, 'judge-simulation': [{ status: 'rollout' }], ...through },
    [...judge, ...release, ...notify],
  ),
  {
    title: 'a status that nobody knows',
    script: { lint: [{ status: 'unheard-of' }] },
    states: ['Lint', 'Lint passed?', 'Ended'],
  },
];

function ended(task: RolloutTask, before: RolloutScript, states: readonly string[]): RolloutPath {
  // With what each kind of task answers besides: a list of batches, a time to wait.
  const answer = { status: 'ended', batches: [], waitSeconds: 1 };
  const script: RolloutScript = { ...before, [task]: [answer] };
  return { title: `${task} ends it`, script, states: [...states, 'Ended'] };
}

export interface ScriptedTasks {
  readonly tasks: WorkflowTasks;
  /** The input of every call, a token left out, sorted: a map has no order. */
  readonly calls: (run: number) => readonly string[];
}

/** Tasks that answer by script: run n by the n-th. Errors when one is called too often. */
export function scriptedTasks(
  scripts: readonly RolloutScript[],
  engine: () => Pick<WorkflowEngine, 'signal'>,
): ScriptedTasks {
  const made = scripts.map((): string[] => []);
  const left = scripts.map(
    (script) => new Map(Object.entries(script).map(([task, answers]) => [task, [...answers]])),
  );
  const play = async (input: Json): Promise<Json | void> => {
    const { token, ...call } = input as { task: string; run: number; token?: string };
    made[call.run]?.push(JSON.stringify(call));
    const answer = left[call.run]?.get(call.task)?.shift();
    if (answer === undefined) throw new Error(`${call.task} is called too often`);
    if ('throws' in answer) throw Object.assign(new Error('scripted'), { name: answer.throws });
    if (token === undefined) return { ...answer };
    await engine().signal(token, { ...answer });
  };
  const names = scripts.flatMap((script) => Object.keys(script));
  return {
    tasks: Object.fromEntries(names.map((name) => [name, play])),
    calls: (run) => (made[run] ?? []).toSorted(),
  };
}

/** The calls that a path stands for, as `ScriptedTasks.calls` tells them. */
export function expectedCalls(path: RolloutPath, tenant: string, run: number): readonly string[] {
  const plan = path.script['plan-simulation']?.[0];
  const batches = plan !== undefined && 'batches' in plan ? plan.batches : [];
  return Object.entries(path.script)
    .flatMap(([task, answers]) =>
      answers.map((_, i) => {
        const call = { task, tenant, run };
        return task === 'replay-scenarios' ? { ...call, batch: batches[i] } : call;
      }),
    )
    .map((call) => JSON.stringify(call))
    .toSorted();
}
