import { stripVTControlCharacters } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { RunPage } from '../../../sdk/src/wire/run.ts';
import { cliFolder, type CliPlace, runCli } from '../../support/run-cli.ts';
import { runPage, type RunPageChanges, stage } from '../../support/run-pages.ts';
import { screenOf } from '../../support/terminal-screen.ts';
import { type FakeHms, startFakeHms, writeClients } from '../../support/start-fake-hms.ts';

const stages = {
  lint: stage('lint', 'passed', 'no findings'),
  simulate: stage('simulate', 'passed', null),
  canary: stage('canary', 'passed', null),
  rollout: stage('rollout', 'passed', 'in force for everyone'),
  notify: stage('notify', 'passed', '6 sent'),
};
const { lint, simulate, canary, rollout, notify } = stages;
const observing = stage('canary', 'running', null);
const succeeded = {
  status: 'succeeded',
  endedAt: '2026-11-20T18:11:42Z',
  outcome: 'In force for everyone.',
} as const;

/** A run as the embedded server told it, step by step: what each message said, and the page after it. */
const recorded: readonly (readonly [string, RunPageChanges])[] = [
  ['run.queued', { status: 'queued', stages: [stage('lint', 'pending', null)] }],
  ['run.linted', { status: 'simulating', stages: [lint, stage('simulate', 'running', null)] }],
  ['run.simulated', { status: 'canary', stages: [lint, simulate] }],
  ['run.canary', { status: 'canary', stages: [lint, simulate, observing] }],
  ['run.judged', { status: 'rolling-out', stages: [lint, simulate, canary] }],
  ['run.released', { status: 'notifying', stages: [lint, simulate, canary, rollout] }],
  ['run.ended', { ...succeeded, stages: [lint, simulate, canary, rollout, notify] }],
].map(([action, page]) => [
  action as string,
  { simulation: { share: 0.984 }, ...(page as RunPageChanges) },
]);
const picture = [
  'RUN #184  epa-pm25-limit@2.0.0',
  '• Lint & Schema ............... PASS',
  '• Simulation Replay ........... PASS (98.4% adapted)',
  '• Canary 5% (region NCR) ...... PASS',
  '• Full Rollout ................ PASS',
  '• Partner Notifications ....... 6 sent',
  'DEPLOYMENT SUCCESSFUL: 11 min 42 s',
];

describe('hms-svc run watch', () => {
  let hms: FakeHms;
  let folder: ReturnType<typeof cliFolder>;
  let page: RunPage;
  let opened: (string | undefined)[];
  /** What each connection tells, one after the other. */
  let connections: (() => AsyncIterable<string>)[];
  beforeEach(async () => {
    folder = cliFolder();
    await writeClients(`${folder.cwd}/.hms`);
    hms = await startFakeHms();
    page = runPage(recorded[0]?.[1]);
    opened = [];
    connections = [
      async function* () {
        yield* tell(recorded);
      },
    ];
    hms.answers['GET /api/runs/184'] = () => ({ status: 200, json: page });
    hms.answers['GET /api/runs/184/events'] = ({ headers }) => {
      opened.push(headers['last-event-id'] as string | undefined);
      const next = connections.shift();
      if (next === undefined) return { status: 204 };
      return { status: 200, headers: { 'content-type': 'text/event-stream' }, chunks: next() };
    };
  });
  afterEach(async () => {
    await hms[Symbol.asyncDispose]();
    folder.remove();
  });

  async function* tell(steps: typeof recorded, from = 0): AsyncGenerator<string> {
    yield 'retry: 20\nid: -1\n: connected\n\n';
    for (const [place, [action, changes]] of steps.entries()) {
      page = runPage(changes);
      yield `id: ${from + place}\ndata: ${JSON.stringify({ action, run: 184 })}\n\n`;
      // Longer than what comes together is gathered for.
      await new Promise((resolve) => setTimeout(resolve, 60));
    }
  }

  const watch = async (place: Partial<CliPlace> = {}, ...args: string[]) =>
    runCli(['run', 'watch', '184', ...args], {
      cwd: folder.cwd,
      ...place,
      env: { HMS_URL: hms.url, ...place.env },
    });

  it('writes a line for each stage into a pipe, when it is over', async () => {
    const pieces: string[] = [];
    const ran = await watch({ onOutput: (piece) => pieces.push(piece) });
    expect(ran).toEqual({ code: 0, stdout: `${picture.join('\n')}\n`, stderr: '' });
    expect(pieces.length, 'as it goes, and not at the end').toBeGreaterThan(3);
  });

  it('shows it on a terminal as it goes', async () => {
    const nowMs = () => Date.parse('2026-11-20T18:02:30Z');
    const frames: string[] = [];
    const ran = await watch({
      terminal: { columns: 100, rows: 30 },
      nowMs,
      env: { TERM: 'xterm' },
      onOutput: (piece) => frames.push(stripVTControlCharacters(piece)),
    });
    expect([ran.code, ran.stderr]).toEqual([0, '']);
    const all = frames.join('');
    const order = [
      'Waits for its turn.',
      'Simulation Replay .',
      'of 5 min 0 s',
      'DEPLOYMENT SUCCESSFUL',
    ];
    const places = order.map((text) => all.indexOf(text));
    expect(places).toEqual(places.toSorted((a, b) => a - b));
    expect(places).not.toContain(-1);
    expect(screenOf(ran.stdout)).toEqual(picture);
    expect(ran.stdout).toContain('\u001b[32mPASS\u001b[39m');
  });

  it('has no colours on a terminal where NO_COLOR is set', async () => {
    const ran = await watch({
      terminal: { columns: 100, rows: 30 },
      env: { TERM: 'xterm', NO_COLOR: '1' },
    });
    expect(ran.stdout).not.toContain('\u001b[32m');
    expect(screenOf(ran.stdout)).toEqual(picture);
  });

  it('writes each page as a line of JSON', async () => {
    const ran = await watch({}, '--json');
    const pages = ran.stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as RunPage);
    expect(pages.at(-1)).toMatchObject({ run: 184, status: 'succeeded' });
    expect(new Set(pages.map(({ status }) => status)).size).toBeGreaterThan(3);
    expect(ran.stderr).toBe('');
  });

  it('goes on where it was when the connection breaks', async () => {
    const half = recorded.slice(0, 4);
    connections = [
      async function* () {
        yield* tell(half);
        throw new Error('cut off');
      },
      async function* () {
        yield* tell(recorded.slice(4), 4);
      },
    ];
    const ran = await watch();
    expect(ran.code).toBe(0);
    expect(ran.stdout).toBe(`${picture.join('\n')}\n`);
    expect(opened).toEqual([undefined, '3']);
    expect(ran.stderr).toContain('Connecting again in');
  });

  it.each<[RunPageChanges, string]>([
    [{ status: 'failed', outcome: 'Canary failed: 2 new alerts.' }, 'FAILED after'],
    [{ status: 'rejected', outcome: 'Lint found 1 error.' }, 'REJECTED after'],
    [{ status: 'aborted', outcome: 'Aborted by demo-editor.' }, 'ABORTED after'],
    [{ status: 'superseded', outcome: 'Run 185 came before.' }, 'SUPERSEDED after'],
    [{ status: 'expired', outcome: 'Nobody answered.' }, 'EXPIRED after'],
  ])('fails the command with 6 when it is %j', async (changes, text) => {
    page = runPage({ ...changes, endedAt: '2026-11-20T18:02:00Z' });
    const ran = await watch();
    expect(ran.code).toBe(6);
    expect(ran.stdout).toContain(`${text} 2 min 0 s: ${changes.outcome}`);
    expect(opened, 'what has ended needs no stream').toEqual([]);
  });

  it('leaves the run alone with Ctrl-C, and says how to stop it', async () => {
    const interrupt = new AbortController();
    connections = [
      async function* () {
        yield* tell(recorded.slice(0, 4));
        interrupt.abort();
        await new Promise((resolve) => setTimeout(resolve, 1000));
      },
    ];
    const ran = await watch({ signal: interrupt.signal });
    expect(ran.code).toBe(130);
    expect(ran.stderr).toContain('hms-svc run abort 184 --reason');
    expect(hms.names()).not.toContain('POST /api/runs/184/abort');
  });

  it('says once that it waits for people, and how to decide', async () => {
    const waiting = { status: 'approving', ticket: 'run-184-approval', stages: [lint, simulate] };
    connections = [
      async function* () {
        yield* tell([
          ['run.asked', { ...waiting, simulation: { share: 0.984 } } as RunPageChanges],
          ['run.approved', { ...waiting, simulation: { share: 0.984 } } as RunPageChanges],
          ...recorded.slice(3),
        ]);
      },
    ];
    const ran = await watch();
    expect(ran.stdout.match(/Waits for people/g)).toHaveLength(1);
    expect(ran.stdout).toContain('hms-svc approve 184');
  });

  it('has no such run, and says where runs are listed', async () => {
    const ran = await runCli(['run', 'watch', '9'], {
      cwd: folder.cwd,
      env: { HMS_URL: hms.url },
    });
    expect([ran.code, ran.stdout]).toEqual([3, '']);
    expect(ran.stderr).toContain('Next: hms-svc run list');
  });
});
