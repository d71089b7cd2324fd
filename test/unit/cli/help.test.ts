import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterAll, describe, expect, it } from 'vitest';
import type { Does } from '../../../sdk/src/cli/cli.ts';
import { exitCodes, exitCodesHelp } from '../../../sdk/src/cli/exit-codes.ts';
import { buildProgram } from '../../../sdk/src/cli/program.ts';
import { version } from '../../../sdk/src/cli/version.ts';
import { cliFolder, runCli } from '../../support/run-cli.ts';

type Command = ReturnType<typeof buildProgram>;

const root = join(import.meta.dirname, '../../..');

/** A program whose commands do nothing; `done` counts them. */
function idleProgram() {
  const state = { done: 0, written: '' };
  const stream = new PassThrough();
  stream.on('data', (piece: Buffer) => (state.written += piece.toString()));
  const does: Does = () => async () => {
    state.done += 1;
  };
  return { program: buildProgram(does, { stdout: stream, stderr: stream }), state };
}

function leaves(command: Command, path: readonly string[] = []): [string, Command][] {
  if (command.commands.length === 0) return [[path.join(' '), command]];
  return command.commands.flatMap((child) => leaves(child, [...path, child.name()]));
}

const commands = leaves(idleProgram().program);
const folder = cliFolder();
afterAll(() => folder.remove());
const run = async (...args: string[]) => runCli(args, { cwd: folder.cwd });

describe('the help', () => {
  it('is there for as many commands as we have', () => {
    expect(commands.length).toBeGreaterThan(45);
  });

  it.each(commands)(
    'of %s has a description, and examples that are understood',
    async (path, command) => {
      expect(command.summary()).not.toBe('');
      const shown = await run(...path.split(' '), '--help');
      expect([shown.code, shown.stderr]).toEqual([0, '']);
      expect(shown.stdout).toContain(command.description().split('\n')[0]?.slice(0, 60));
      const examples = examplesIn(shown.stdout);
      expect(examples.length).toBeGreaterThan(0);
      for (const words of examples) {
        expect(words.join(' ').startsWith(path), `${words.join(' ')} is of ${path}`).toBe(true);
        const { program, state } = idleProgram();
        await program.parseAsync(words, { from: 'user' }).catch((error: Error) => {
          throw new Error(`${words.join(' ')}: ${error.message}`);
        });
        expect(state.done).toBe(1);
      }
    },
  );

  it.each(commands)('of %s says what each option and argument is for', (_, command) => {
    const described = [...command.options, ...command.registeredArguments].map((one) =>
      'flags' in one
        ? [one.flags, one.description]
        : [one.name(), one.description || one.argChoices],
    );
    for (const [name, about] of described) expect(about, String(name)).toBeTruthy();
  });

  it('is written by no command, and as a mistake', async () => {
    const ran = await run();
    expect(ran.code).toBe(2);
    expect(ran.stderr).toContain('Usage: hms-svc [options] [command]');
    expect((await run('--help')).stdout).toContain(exitCodesHelp);
  });

  it('has the version of package.json', async () => {
    const text = readFileSync(join(root, 'sdk/package.json'), 'utf8');
    expect(version).toBe((JSON.parse(text) as { version: string }).version);
    expect((await run('--version')).stdout).toBe(`${version}\n`);
  });
});

describe('what is not understood', () => {
  it.each([
    [['publsh', 'x'], 'Did you mean publish?'],
    [['run', 'wach', '1'], 'Did you mean watch?'],
    [['list', '--chanel', 'prod'], 'Did you mean --channel?'],
    [['list', '--channel', 'production'], 'Allowed choices are dev, test, prod'],
    [['run', 'watch', 'x'], 'The number of a run'],
    [['run', 'start', 'x', '--observe', 'long'], 'A time such as'],
    [['run', 'start', 'x', '--observe', '5h'], 'From 1s to 4h'],
    [['run', 'start', 'x', '--canary', '101'], 'A share from'],
    [['run', 'start', 'x', '--scope', 'NCR'], 'region: and the name'],
    [['run', 'start'], "missing required argument 'rules'"],
    [['list', '--limit', '0'], 'A whole number from 1 to'],
    [['get', 'x', '--at', 'yesterday'], 'A time such as 2024-09-01T00:00:00Z'],
    [['tail', '--jobs', '--events'], 'cannot be used with'],
    [['tail', '--after', 'x'], 'The id of a message'],
    [['keys', 'create'], "required option '--name <name>'"],
    [['completion', 'powershell'], 'Allowed choices are bash, zsh, fish'],
    [['api', 'GET', '/x', '--header', 'x'], 'NAME: VALUE'],
    [['verify', 'x', '--digest', 'abc'], 'sha256: and 64 hex digits'],
    [['list', 'too', 'many'], 'too many arguments'],
  ])('%j is told so, with 2', async (args, text) => {
    const ran = await run(...args);
    expect([ran.code, ran.stdout]).toEqual([2, '']);
    expect(ran.stderr).toContain(text);
    expect(ran.stderr).toContain('--help');
  });

  it('is told as JSON with --json', async () => {
    const ran = await run('publsh', '--json');
    expect([ran.code, ran.stdout]).toEqual([2, '']);
    const message = "unknown command 'publsh'\n(Did you mean publish?)";
    const next = ['The same with --help tells how'];
    expect(JSON.parse(ran.stderr)).toEqual({
      error: { exitCode: 2, code: 'usage', message, next },
    });
  });
});

describe('the page about the command line', () => {
  const page = readFileSync(join(root, 'docs/cli.md'), 'utf8');

  it('has every exit code, as the help has them', () => {
    for (const code of Object.values(exitCodes)) {
      expect(page).toMatch(new RegExp(`^\\| \`${code}\` +\\|`, 'm'));
    }
  });

  it.each(commands)('tells of %s', (path) => {
    const [group = '', ...more] = path.split(' ');
    const named = more.length === 0 ? group : `${group} ${more.join(' ')}`;
    expect(page.includes(`hms-svc ${named}`) || page.includes(`\`${named}\``), named).toBe(true);
  });
});

/** The command lines of a help, as the program gets them. */
function examplesIn(help: string): string[][] {
  const lines = help.split('\n').filter((line) => line.startsWith('  $ '));
  return lines.map((line) => {
    const [, own = ''] = /hms-svc ([^)<>]+)/.exec(line.slice(4)) ?? [];
    const words = own.replace(/["')]*\s*$/, (end) => (/^["']\)/.test(end) ? '' : end));
    return [...words.matchAll(/'([^']*)'|"([^"]*)"|(\S+)/g)].map(
      ([, single, double, bare]) => single ?? double ?? bare ?? '',
    );
  });
}
