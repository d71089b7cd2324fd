import { createLogUpdate } from 'log-update';
import type { Api } from '../api/api.ts';
import type { StreamState } from '../api/event-source.ts';
import type { RunPage } from '../wire/run.ts';
import type { Cli } from './cli.ts';
import { formatSeconds } from './durations.ts';
import { type ExitCode, exitCodes } from './exit-codes.ts';
import { followRun, type RunLook } from './follow-run.ts';
import { endLines, isOver, runLines, stageLine, titleLine, waitingLines } from './run-view.ts';

const frameMs = 200;

/** Shows looks at a run, one after the other; `end` is after the last, or when it is left. */
interface Screen {
  readonly show: (look: RunLook) => void;
  readonly onState: (state: StreamState) => void;
  readonly end: () => void;
}

/**
 * Shows a run until it has ended: on a terminal as it goes, else a line for each stage that is over,
 * or with `--json` the page as it changes. Ctrl-C leaves the run alone.
 * Answers 6 unless the run succeeded.
 */
export async function watchRun(cli: Cli, api: Api, run: number): Promise<ExitCode> {
  const { io, out } = cli;
  const screen = screenOf(cli);
  const follow = { signal: io.signal, nowMs: io.nowMs, onState: screen.onState };
  let last: RunPage | undefined;
  try {
    for await (const look of followRun(api, run, follow)) {
      last = look.page;
      screen.show(look);
    }
  } catch (error) {
    if (!io.signal.aborted) throw error;
    screen.end();
    out.note(`Run #${run} goes on without you. To stop it: hms-svc run abort ${run} --reason TEXT`);
    return exitCodes.interrupted;
  } finally {
    screen.end();
  }
  return last?.status === 'succeeded' ? exitCodes.done : exitCodes.endedBadly;
}

function screenOf(cli: Cli): Screen {
  if (cli.out.isJson) return documents(cli);
  return cli.out.isLive ? liveScreen(cli) : plainLines(cli);
}

function documents({ out }: Cli): Screen {
  let shown = '';
  return {
    show({ page }) {
      const text = JSON.stringify(page);
      if (text !== shown) out.item(page, () => undefined);
      shown = text;
    },
    onState: () => undefined,
    end: () => undefined,
  };
}

function liveScreen({ io, out }: Cli): Screen {
  const update = createLogUpdate(io.stdout, { showCursor: true });
  let latest: RunLook | undefined;
  let lost = '';
  let frame = 0;
  let ended = false;
  const draw = () => {
    if (latest === undefined) return;
    const { page, aheadMs } = latest;
    const lines = runLines(page, { nowMs: io.nowMs() + aheadMs, frame }, out.paint);
    update([...lines, ...(lost === '' ? [] : [lost])].join('\n'));
    frame += 1;
  };
  const timer = setInterval(draw, frameMs);
  return {
    show(look) {
      latest = look;
      if (look.page.endedAt !== null) lost = '';
      draw();
    },
    onState(state) {
      // The service ends each stream after a while, in order: that is no news.
      const isBroken = state.kind === 'lost' && state.error !== undefined;
      if (state.kind !== 'lost') lost = '';
      else if (isBroken) lost = out.paint('yellow', `Connection lost: ${connectingIn(state)}`);
    },
    end() {
      if (ended) return;
      ended = true;
      clearInterval(timer);
      update.done();
    },
  };
}

function plainLines({ out }: Cli): Screen {
  const told = new Set<string>();
  const tell = (lines: readonly string[]) => {
    for (const line of lines) {
      if (!told.has(line)) out.line(line);
      told.add(line);
    }
  };
  return {
    show({ page }) {
      const over = page.stages.filter((stage) => isOver(stage) || stage.status === 'held');
      const look = { nowMs: 0, frame: 0 };
      tell([titleLine(page, out.paint)]);
      tell(over.map((stage) => stageLine(page, stage, look, out.paint)));
      tell([...waitingLines(page), ...endLines(page, out.paint)]);
    },
    onState(state) {
      if (state.kind !== 'lost' || state.error === undefined) return;
      out.note(`${state.error.message} ${connectingIn(state)}`);
    },
    end: () => undefined,
  };
}

function connectingIn({ retryInMs }: { readonly retryInMs: number }): string {
  return `Connecting again in ${formatSeconds(Math.ceil(retryInMs / 1000))}.`;
}
