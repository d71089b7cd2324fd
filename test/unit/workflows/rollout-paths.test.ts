import { describe, expect, it } from 'vitest';

import { localWorkflows } from '../../../src/adapters/local/local-workflows.ts';
import { coreDeps } from '../../support/core-deps.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import {
  expectedCalls,
  rolloutDefinition,
  rolloutPaths,
  scriptedTasks,
} from '../../support/rollout-paths.ts';

describe('the rollout on the embedded engine', () => {
  it.each(rolloutPaths)('takes its path: $title', async ({ script, states }) => {
    const clock = new ManualClock();
    const { log, ids } = coreDeps({ clock });
    const scripted = scriptedTasks([script], () => engine);
    const engine = localWorkflows({
      definition: rolloutDefinition,
      tasks: () => scripted.tasks,
      clock,
      ids,
      log,
    });
    await engine.start('run', { tenant: 'demo', run: 0 });
    await clock.advance(10 * 60_000);

    expect(await engine.status('run')).toBe('ended');
    const entered = log.lines.flatMap(({ state, msg }) =>
      msg === 'a state is entered' && state !== 'Replay batch' ? [state] : [],
    );
    expect(entered).toEqual(states);
    const path = { title: '', script, states };
    expect(scripted.calls(0)).toEqual(expectedCalls(path, 'demo', 0));
    expect(log.lines.filter(({ level }) => level === 'error')).toEqual([]);
    expect(clock.sleeping).toBe(0);
  });
});
