import type { Api } from '../api/api.ts';
import type { Channel, CreatedRun } from '../wire/run.ts';
import type { Cli } from './cli.ts';
import { type ExitCode, exitCodes } from './exit-codes.ts';
import { watchRun } from './watch-run.ts';

/** What publish, promote and rollback answer when they are done. */
export interface Movement {
  readonly id: string;
  readonly channel: Channel;
  readonly snapshot: string;
  readonly status: 'stored' | 'promoted' | 'rolledback' | 'unchanged';
  readonly version: string;
  readonly digest: string;
  readonly gen: number;
  readonly effectiveAt: string | null;
  readonly before: string | null;
  readonly index: number | null;
}

/** The same when a run does it. */
export interface StagedRule extends CreatedRun {
  readonly id: string;
  readonly snapshot: string;
}

/** What became of a change; with `watch`, of its run as well. */
export async function tellMovement(
  cli: Cli,
  api: Api,
  answer: Movement | StagedRule,
  watch: boolean,
): Promise<ExitCode> {
  if ('run' in answer) return tellRun(cli, api, answer, watch);
  const { out } = cli;
  out.result(answer, () => out.line(movementLine(answer)));
  return exitCodes.done;
}

/** A run that was queued; with `watch` it is followed, and its end is the answer. */
export async function tellRun(
  cli: Cli,
  api: Api,
  created: CreatedRun,
  watch: boolean,
): Promise<ExitCode> {
  const { out } = cli;
  const { run, waitsFor } = created;
  if (watch) return watchRun(cli, api, run);
  out.result(created, () => {
    out.line(`Run #${run} is queued${waitsFor === null ? '' : `, and waits for #${waitsFor}`}.`);
    out.line(`Watch it: hms-svc run watch ${run}`);
  });
  return exitCodes.done;
}

function movementLine(answer: Movement): string {
  const { id, version, channel, snapshot, status, effectiveAt, before } = answer;
  const name = `${id}@${version}`;
  const from = before === null ? '' : `, in place of ${before}`;
  if (status === 'unchanged') return `${name} was in ${channel} already: ${snapshot}`;
  if (effectiveAt !== null) {
    return `${name} is distributed to ${channel}, and in force from ${effectiveAt}: ${snapshot}${from}`;
  }
  const back = status === 'rolledback' ? 'back ' : '';
  return `${name} is ${back}in force in ${channel}: ${snapshot}${from}`;
}
