import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterAll, describe, expect, it } from 'vitest';
import { commandNodes } from '../../../sdk/src/cli/command-tree.ts';
import { buildProgram } from '../../../sdk/src/cli/program.ts';
import { cliFolder, runCli } from '../../support/run-cli.ts';

const stream = new PassThrough();
const program = buildProgram(() => async () => undefined, { stdout: stream, stderr: stream });
const nodes = commandNodes(program);
const folder = cliFolder();
afterAll(() => folder.remove());

async function script(shell: string): Promise<string> {
  const ran = await runCli(['completion', shell], { cwd: folder.cwd });
  expect([ran.code, ran.stderr]).toEqual([0, '']);
  return ran.stdout;
}

describe.each(['bash', 'zsh', 'fish'])('the completion of %s', (shell) => {
  it('has every command and every option, of both names', async () => {
    const text = await script(shell);
    expect(nodes.length).toBeGreaterThan(50);
    const missing = nodes.flatMap(({ path, commands, options }) =>
      [...commands.map(({ text: word }) => word), ...options.flatMap(({ flags }) => flags)]
        .map((word) => (shell === 'fish' ? fishWord(word) : word))
        .filter((word) => !text.includes(word))
        .map((word) => `${path} ${word}`),
    );
    expect(missing).toEqual([]);
    expect(text).toContain('hms-svc');
    expect(text).toMatch(/\bhms\b(?!-)/);
    expect(text).toContain('dev test prod');
  });

  const parses = spawnSync(shell, ['--version']).status === 0;
  it.skipIf(!parses)('is understood by it', async () => {
    const file = join(folder.cwd, `completion.${shell}`);
    writeFileSync(file, await script(shell));
    const checked = spawnSync(shell, ['-n', file], { encoding: 'utf8' });
    expect([checked.status, checked.stderr]).toEqual([0, '']);
  });
});

function fishWord(word: string): string {
  if (word.startsWith('--')) return `-l ${word.slice(2)}`;
  return word.startsWith('-') ? `-s ${word.slice(1)}` : `-a ${word} `;
}

const hasBash = spawnSync('bash', ['--version']).status === 0;
describe.skipIf(!hasBash)('in bash', () => {
  it.each([
    [['pub'], ['publish']],
    [['run', 'w'], ['watch']],
    [['run', 'start', '--ca'], ['--canary']],
    [
      ['publish', '--channel', ''],
      ['dev', 'test', 'prod'],
    ],
    [['publish', '--channel', 't'], ['test']],
    [['jobs', 'list', '--status', 'de'], ['dead']],
    [['--json', 'tickets', 're'], ['reject']],
    [['publish', 'a-ru'], ['a-rule.yaml']],
  ])('%j is completed with %j', async (words, expected) => {
    writeFileSync(join(folder.cwd, 'a-rule.yaml'), 'id: a');
    writeFileSync(join(folder.cwd, 'completion.bash'), await script('bash'));
    const all = ['hms-svc', ...words].map((word) => `'${word}'`).join(' ');
    const asked = `. ./completion.bash; COMP_WORDS=(${all}); COMP_CWORD=${words.length}
      _hms_svc; printf '%s\\n' "\${COMPREPLY[@]}"`;
    const { stdout } = spawnSync('bash', ['--norc', '-c', asked], {
      cwd: folder.cwd,
      encoding: 'utf8',
    });
    expect(stdout.trim().split('\n')).toEqual(expected);
  });
});
