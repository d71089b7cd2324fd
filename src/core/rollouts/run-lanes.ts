/** The runs of one channel by policy. */
export interface RunLanes {
  /** The one run that may move the policy. */
  readonly holders: Readonly<Record<string, number>>;
  /** The run that comes next: one for each policy, the newest. */
  readonly waiting: Readonly<Record<string, number>>;
}

export const noLanes: RunLanes = { holders: {}, waiting: {} };

/** Policies that may be in runs of one channel at a time. */
export const maxRunLanes = 1000;

/** The runs that stand in the way of one about these policies. */
export function holdersOf({ holders }: RunLanes, policies: readonly string[]): number[] {
  return distinct(policies.flatMap((id) => holders[id] ?? []));
}

/** The runs that wait for one of these policies. */
export function waitersOf({ waiting }: RunLanes, policies: readonly string[]): number[] {
  return distinct(policies.flatMap((id) => waiting[id] ?? []));
}

/** Who waited for one of them has lost its place: it is older. */
export function hold(lanes: RunLanes, run: number, policies: readonly string[]): RunLanes {
  const { holders, waiting } = letGo(lanes, run);
  const others = Object.entries(waiting).filter(([id]) => !policies.includes(id));
  return {
    holders: { ...holders, ...each(policies, run) },
    waiting: Object.fromEntries(others),
  };
}

/** The newest wins: who waited for one of them until now waits no longer. */
export function queueUp(lanes: RunLanes, run: number, policies: readonly string[]): RunLanes {
  return { ...lanes, waiting: { ...lanes.waiting, ...each(policies, run) } };
}

/** Whatever the run holds or waits for. */
export function letGo({ holders, waiting }: RunLanes, run: number): RunLanes {
  return { holders: without(holders, run), waiting: without(waiting, run) };
}

export function countLanes({ holders, waiting }: RunLanes): number {
  return new Set([...Object.keys(holders), ...Object.keys(waiting)]).size;
}

function each(policies: readonly string[], run: number): Record<string, number> {
  return Object.fromEntries(policies.map((id) => [id, run]));
}

function without(held: RunLanes['holders'], run: number): Record<string, number> {
  return Object.fromEntries(Object.entries(held).filter(([, holder]) => holder !== run));
}

function distinct(runs: readonly number[]): number[] {
  return [...new Set(runs)];
}
