import { Command } from 'commander';
import type { Does } from './cli.ts';
import { addApi } from './commands/api.ts';
import { addApprove } from './commands/approve.ts';
import { addAudit } from './commands/audit.ts';
import { addClaims } from './commands/claims.ts';
import { addCompletion } from './commands/completion.ts';
import { addDeploy, addNewService } from './commands/deploy.ts';
import { addDiff } from './commands/diff.ts';
import { addDoctor } from './commands/doctor.ts';
import { addEvents } from './commands/events.ts';
import { addGet } from './commands/get.ts';
import { addHistory } from './commands/history.ts';
import { addJobs } from './commands/jobs.ts';
import { addKeys } from './commands/keys.ts';
import { addList } from './commands/list.ts';
import { addLogin, addLogout, addProfiles } from './commands/login.ts';
import { addPack } from './commands/pack.ts';
import { addPartners } from './commands/partners.ts';
import { addPromote } from './commands/promote.ts';
import { addPublish } from './commands/publish.ts';
import { addRollback } from './commands/rollback.ts';
import { addRun } from './commands/run.ts';
import { addServices } from './commands/services.ts';
import { addTail } from './commands/tail.ts';
import { addTickets } from './commands/tickets.ts';
import { addToken } from './commands/token.ts';
import { addVerify } from './commands/verify.ts';
import { exitCodesHelp } from './exit-codes.ts';
import type { Io } from './io.ts';
import { version } from './version.ts';

type Add = (program: Command, does: Does) => void;

const groups: Readonly<Record<string, readonly Add[]>> = {
  'Rules:': [addPublish, addGet, addList, addHistory, addDiff, addRollback, addPromote],
  'Rollouts:': [addApprove, addRun, addTickets, addPartners],
  'Trust:': [addVerify, addKeys, addPack, addAudit],
  'Work:': [addJobs, addClaims],
  'Services:': [addServices, addEvents, addNewService, addDeploy],
  'Live:': [addTail],
  'This program:': [addLogin, addLogout, addProfiles, addToken, addDoctor, addApi, addCompletion],
};

/** Every command there is, each to be done by `does`. What commander writes goes to `io`. */
export function buildProgram(does: Does, io: Pick<Io, 'stdout' | 'stderr'>): Command {
  const program = new Command('hms-svc')
    .description('Rules, rollouts, jobs and services of HMS-SVC.')
    .version(version, '-V, --version', 'the version of this program')
    .helpOption('-h, --help', 'how it is used')
    .option('--json', 'for programs: one JSON document, or one a line for what goes on')
    .option('--profile <name>', 'an installation that you logged in to; else HMS_PROFILE')
    .option('--as <client>', 'a client of the server of this machine: editor, approver …')
    .option('--debug', 'tell where an error comes from')
    .helpCommand(false)
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({
      writeOut: (text) => void io.stdout.write(text),
      writeErr: (text) => void io.stderr.write(text),
      getOutHelpWidth: () => io.stdout.columns ?? 100,
      getErrHelpWidth: () => 100,
      getOutHasColors: () => false,
      getErrHasColors: () => false,
    })
    .showHelpAfterError('The same with --help tells how.')
    .exitOverride();
  program.addHelpText('after', `\n${exitCodesHelp}`);
  for (const [heading, adders] of Object.entries(groups)) {
    program.commandsGroup(heading);
    for (const add of adders) add(program, does);
  }
  for (const command of program.commands) command.helpCommand(false);
  return program;
}
