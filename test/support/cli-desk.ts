import { join } from 'node:path';
import { cliFolder, type CliPlace, type CliRan, runCli } from './run-cli.ts';
import {
  type FakeAnswer,
  type FakeHms,
  type HmsCall,
  startFakeHms,
  writeClients,
} from './start-fake-hms.ts';

/** The command line in a folder of its own, beside a service that answers as a test says. */
export interface CliDesk extends AsyncDisposable {
  readonly hms: FakeHms;
  readonly cwd: string;
  readonly run: (args: readonly string[], place?: Partial<CliPlace>) => Promise<CliRan>;
  /** Answers a call, by method and path, with 200 and JSON. */
  readonly answer: (name: string, json: unknown, more?: Partial<FakeAnswer>) => void;
  readonly lastCall: () => HmsCall;
}

/** With `clients.json` of all roles, so that every command has its client. */
export async function startCliDesk(): Promise<CliDesk> {
  const { cwd, remove } = cliFolder();
  await writeClients(join(cwd, '.hms'));
  const hms = await startFakeHms();
  return {
    hms,
    cwd,
    run: async (args, place = {}) =>
      runCli(args, { cwd, ...place, env: { HMS_URL: hms.url, ...place.env } }),
    answer(name, json, more = {}) {
      hms.answers[name] = () => ({ status: 200, json, ...more });
    },
    lastCall() {
      const call = hms.calls.at(-1);
      if (call === undefined) throw new Error('nothing was called');
      return call;
    },
    async [Symbol.asyncDispose]() {
      await hms[Symbol.asyncDispose]();
      remove();
    },
  };
}
