import { PassThrough } from 'node:stream';
import { type Command, CommanderError } from 'commander';
import type { Cli, Does } from './cli.ts';
import { errorLines, type ErrorReport, reportOf } from './error-text.ts';
import { exitCodes } from './exit-codes.ts';
import type { Io } from './io.ts';
import { createOutput, plain } from './output.ts';
import { buildProgram } from './program.ts';
import { apiOf, type Choice, findSession, type Session } from './session.ts';
import { version } from './version.ts';

interface Globals extends Choice {
  readonly json?: boolean;
  readonly debug?: boolean;
}

/**
 * Runs the command line, without the name of the program, and answers its exit code. Never throws:
 * what goes wrong is told on standard error.
 */
export async function main(argv: readonly string[], io: Io): Promise<number> {
  let exitCode: number = exitCodes.done;
  let session: Session | undefined;
  let ran: Command | undefined;
  const does: Does =
    (work) =>
    async (...args) => {
      const globals = program.opts<Globals>();
      // Commander gives it to every action.
      ran = args.at(-1) as Command;
      const cli: Cli = {
        io,
        out: createOutput(io, globals.json === true),
        session: async (role) => (session ??= await findSession(io, globals, role)),
        connect: async (role) => apiOf(await cli.session(role), `hms-svc/${version}`),
      };
      exitCode = (await work(cli, ...args)) ?? exitCodes.done;
    };
  const isJson = argv.includes('--json');
  // What commander says of a mistake is for people.
  const program = buildProgram(does, isJson ? { ...io, stderr: new PassThrough().resume() } : io);
  try {
    await program.parseAsync(argv, { from: 'user' });
    return exitCode;
  } catch (error) {
    if (io.signal.aborted) return exitCodes.interrupted;
    if (error instanceof CommanderError) {
      if (error.exitCode === 0) return exitCodes.done;
      if (!isJson) return exitCodes.usage;
    }
    const { debug } = program.opts<Globals>();
    const group = ran?.parent === program ? ran.name() : (ran?.parent?.name() ?? '');
    return tell(reportOf(error, session, group), error, io, {
      json: isJson,
      debug: debug === true,
    });
  }
}

function tell(
  report: ErrorReport,
  error: unknown,
  io: Io,
  { json, debug }: { readonly json: boolean; readonly debug: boolean },
): number {
  const { paint } = createOutput({ ...io, stdout: io.stderr }, false);
  const [first = '', ...rest] = errorLines(report).map((line) => plain(line, false));
  const text = json ? JSON.stringify({ error: report }) : [paint('red', first), ...rest].join('\n');
  io.stderr.write(`${text}\n`);
  if (debug && error instanceof Error) io.stderr.write(`${error.stack}\n`);
  return report.exitCode;
}
