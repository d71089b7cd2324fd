import type { RolloutDesk } from '../../support/rollout-desk.ts';

/** Does something that may have to wait between its attempts: time passes until it is done. */
export async function whileTimePasses<T>(desk: RolloutDesk, work: () => Promise<T>): Promise<T> {
  const state = { isDone: false };
  const done = work();
  const note = (): void => void (state.isDone = true);
  done.then(note, note);
  await desk.settle();
  while (!state.isDone) await desk.clock.advance(100);
  return done;
}
