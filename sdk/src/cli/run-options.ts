import { InvalidArgumentError, type Command } from 'commander';
import { stat } from 'node:fs/promises';
import type { Api } from '../api/api.ts';
import { storePackage } from '../node/deploy-policy.ts';
import type { CanaryOptions, Channel, CreatedRun, NewRun } from '../wire/run.ts';
import { pathOf } from './arguments.ts';
import type { Cli } from './cli.ts';
import { parseSeconds } from './durations.ts';
import { exitCodes } from './exit-codes.ts';
import { Failure } from './failure.ts';
import { channelOption, gathered, reasonOption, wholeNumber } from './options.ts';
import { parseSnapshotName } from './snapshot-name.ts';
import { packed } from './trust/package-files.ts';

/** How a run is to be, as the command line has it. */
export interface RunOptions {
  readonly channel?: Channel;
  readonly canary?: number | true | false;
  readonly scope?: string;
  readonly observe?: number;
  readonly maxAlerts?: number;
  readonly minDecisions?: number;
  readonly allowSilent?: true;
  readonly receipts?: number;
  readonly partners?: readonly string[];
  readonly approvals?: number;
  readonly hotfix?: true;
  readonly reason?: string;
}

const maxObserveSeconds = 14_400;

/** The options of a command that starts a run. */
export function addRunOptions(command: Command): Command {
  return command
    .addOption(channelOption('where; prod unless given'))
    .option(
      '--canary [percent]',
      'try it on a share of the subjects first; 5 unless given',
      percent,
    )
    .option('--no-canary', 'straight to everyone')
    .option('--scope <scope>', 'the canary in one region only, such as region:NCR', scope)
    .option('--observe <time>', 'for how long the canary is observed; 5m unless given', observed)
    .option(
      '--max-alerts <count>',
      'so many new alerts fail it; 2 unless given',
      wholeNumber(1, 100),
    )
    .option('--min-decisions <count>', 'fewer are no verdict; 20 unless given', wholeNumber(0, 1e9))
    .option('--allow-silent', 'no telemetry at all passes, too')
    .option(
      '--receipts <count>',
      'services that must take it, instead of the time',
      wholeNumber(1, 1e4),
    )
    .option('--partners <names>', 'who is told when everyone has it; commas between', gathered)
    .option('--approvals <count>', 'people who must approve it', wholeNumber(1, 5))
    .option('--hotfix', 'end a run that is in the way; needs --reason, and hms/approve:policy')
    .addOption(reasonOption());
}

/**
 * Starts a run of rules, each a file that is stored first, or `ID@SNAPSHOT` of one that is.
 * Errors: `Failure` for options that do not fit; those of `Api`.
 */
export async function startRun(
  cli: Cli,
  api: Api,
  rules: readonly string[],
  options: RunOptions,
): Promise<CreatedRun> {
  // All that can be wrong here is found before anything is stored.
  const asked = askedOf(options);
  const loaded = await Promise.all(rules.map((rule) => loadRule(cli, rule)));
  const policies: NewRun['policies'][number][] = [];
  for (const rule of loaded) policies.push(await storeRule(cli, api, rule));
  return createRun(cli, api, { ...asked, policies });
}

/** What stands for a rule: stored, or about to be. */
export type LoadedRule =
  | { readonly id: string; readonly snapshot: string }
  | { readonly id: string; readonly bytes: Uint8Array };

async function loadRule(cli: Cli, rule: string): Promise<LoadedRule> {
  const file = pathOf(cli, rule);
  const isThere = await stat(file).then(
    () => true,
    () => false,
  );
  if (isThere) return packed(file);
  const named = /^[^/\\]+@[^/\\]+$/.test(rule) ? parseSnapshotName(rule) : undefined;
  if (named?.snapshot !== undefined) return { id: named.id, snapshot: named.snapshot };
  throw new Failure(exitCodes.usage, `There is no file ${rule}, and it is no ID@SNAPSHOT either.`);
}

/** Stores a rule unless it is; answers how a run names it. */
export async function storeRule(cli: Cli, api: Api, rule: LoadedRule) {
  return 'snapshot' in rule ? rule : storePackage(api, rule, cli.io.signal);
}

export async function createRun(cli: Cli, api: Api, run: NewRun): Promise<CreatedRun> {
  const { signal } = cli.io;
  return api.json<CreatedRun>({ method: 'POST', path: '/api/runs', json: run, signal });
}

/** What is asked of a run but for its rules. Errors: `Failure` for what contradicts itself. */
export function askedOf(options: RunOptions): Omit<NewRun, 'policies'> {
  const { channel, partners, approvals, hotfix, reason } = options;
  if (hotfix === true && reason === undefined) {
    throw new Failure(exitCodes.usage, 'A hotfix needs a --reason.');
  }
  return { channel, canary: canaryOf(options), partners, approval: approvals, hotfix, reason };
}

/** Undefined: as the channel has it. */
function canaryOf(options: RunOptions): NewRun['canary'] {
  const { canary, scope: region, observe, maxAlerts, minDecisions, allowSilent } = options;
  const wish: CanaryOptions = {
    percent: typeof canary === 'number' ? canary : undefined,
    scope: region,
    observeSeconds: observe,
    maxNewAlerts: maxAlerts,
    minDecisions,
    allowSilent,
    quorum: options.receipts,
  };
  const isAsked = Object.values(wish).some((value) => value !== undefined);
  if (canary === false && isAsked) {
    throw new Failure(exitCodes.usage, '--no-canary goes with no other option of a canary.');
  }
  return canary === false ? false : isAsked || canary === true ? wish : undefined;
}

function percent(text: string): number {
  const value = /^\d{1,3}(?:\.\d{1,2})?%?$/.test(text) ? Number.parseFloat(text) : Number.NaN;
  if (value >= 0.01 && value <= 100) return value;
  throw new InvalidArgumentError('A share from 0.01 to 100, in percent.');
}

function scope(text: string): string {
  if (/^region:[A-Za-z0-9_-]{1,64}$/.test(text)) return text;
  throw new InvalidArgumentError('region: and the name of a region, such as region:NCR.');
}

function observed(text: string): number {
  const seconds = parseSeconds(text);
  if (seconds >= 1 && seconds <= maxObserveSeconds) return seconds;
  throw new InvalidArgumentError('From 1s to 4h.');
}
