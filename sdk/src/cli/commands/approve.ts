import type { Command } from 'commander';
import { writeFile } from 'node:fs/promises';
import type { RunPage } from '../../wire/run.ts';
import { pathOf } from '../arguments.ts';
import type { Cli, Does } from '../cli.ts';
import { withExamples } from '../examples.ts';
import { exitCodes } from '../exit-codes.ts';
import { Failure } from '../failure.ts';
import { tellRun } from '../movement.ts';
import { gathered } from '../options.ts';
import { path } from '../paths.ts';
import { addRunOptions, askedOf, createRun, type RunOptions, storeRule } from '../run-options.ts';
import { decide } from '../tickets.ts';
import { requireKey } from '../trust/key-ring.ts';
import { openPackage } from '../trust/package-files.ts';
import { signPackage } from '../trust/sign-package.ts';
import { digestOf } from '../trust/verify-package.ts';

interface Options extends RunOptions {
  readonly sign?: readonly string[];
  readonly out?: string;
  readonly watch?: true;
}

export function addApprove(program: Command, does: Does): void {
  const command = program
    .command('approve')
    .summary('sign a rule and roll it out, or let a waiting run go on')
    .description(
      'Of a file: signs the package, and starts the run that rolls it out.\n' +
        'Of the number of a run, or of a ticket: says yes to what it asks.',
    )
    .argument('<target>', 'a YAML rule, a folder or a ZIP; or the number of a run; or a ticket')
    .option('--sign <names>', 'keys to sign with, of persons or offices; commas between', gathered)
    .option('--out <file>', 'write the signed package there, and start nothing');
  addRunOptions(command)
    .option('--watch', 'follow the run until it has ended')
    .action(does(approve));
  withExamples(
    command,
    'hms-svc approve policies/pm25.yaml --sign "EPA Chief"',
    'hms-svc approve examples/epa-pm25/2.0.0 --sign "EPA Chief" --canary 5 --scope region:NCR --watch',
    '# One signs, and another adds a signature and starts the run',
    'hms-svc approve policies/pm25.yaml --sign "EPA Chief" --out signed.zip',
    'hms-svc approve signed.zip --sign "NCR Director"',
    '# A run that waits for people',
    'hms-svc approve 184 --reason "as the simulation shows"',
  );
}

async function approve(cli: Cli, target: string, options: Options) {
  if (/^#?[1-9]\d{0,11}$/.test(target)) return approveRun(cli, target.replace('#', ''), options);
  if (/^run-\d+-[a-z]+$/.test(target)) return decide(cli, target, 'approve', options.reason);
  const names = options.sign ?? [];
  if (names.length === 0) {
    throw new Failure(exitCodes.usage, 'Name who signs it: --sign "EPA Chief".', [
      'Make a key: hms-svc keys create --name "EPA Chief"',
      'Without a signature: hms-svc run start FILE',
    ]);
  }
  return approveFile(cli, target, names, options);
}

async function approveFile(cli: Cli, file: string, names: readonly string[], options: Options) {
  const asked = askedOf(options);
  const keys = await Promise.all(names.map((name) => requireKey(cli.io, name)));
  const given = await openPackage(pathOf(cli, file));
  const bytes = signPackage(given, keys);
  const { id, version } = given;
  const told = `${id}@${version}, signed by ${names.join(', ')}`;
  const { out } = cli;
  if (options.out !== undefined) {
    await writeFile(pathOf(cli, options.out), bytes);
    const shown = { id, version, digest: digestOf(bytes), file: options.out, signedBy: names };
    out.result(shown, () => out.line(`${options.out}: ${told}`));
    return exitCodes.done;
  }
  const api = await cli.connect('editor');
  const stored = await storeRule(cli, api, { id, bytes });
  out.note(`${told}: ${stored.snapshot}`);
  const created = await createRun(cli, api, { ...asked, policies: [stored] });
  return tellRun(cli, api, created, options.watch === true);
}

async function approveRun(cli: Cli, run: string, { reason, sign }: Options) {
  if (sign !== undefined) {
    throw new Failure(exitCodes.usage, '--sign is for a file: what a run has is signed already.');
  }
  const api = await cli.connect('approver');
  const page = await api.json<RunPage>({ path: path`/api/runs/${run}`, signal: cli.io.signal });
  if (page.ticket === null) {
    const next = [`hms-svc run show ${run}`];
    throw new Failure(exitCodes.refused, `Run #${run} asks nothing: it is ${page.status}.`, next);
  }
  return decide(cli, page.ticket, 'approve', reason);
}
