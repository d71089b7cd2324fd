import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import { problems } from '../../../src/contract/problems.ts';
import { reportOf } from '../../../sdk/src/cli/error-text.ts';
import { ProblemError } from '../../../sdk/src/api/errors.ts';
import { type CliDesk, startCliDesk } from '../../support/cli-desk.ts';
import { cliFolder, runCli } from '../../support/run-cli.ts';

const page = 'GET /api/policies?limit=50';

function problem(code: string, status: number, more: object = {}) {
  const detail = `It is ${code}.`;
  return {
    type: `urn:hms:problem:${code}`,
    title: code,
    status,
    code,
    detail,
    requestId: 'r-1',
    ...more,
  };
}

let desk: CliDesk;
beforeEach(async () => {
  desk = await startCliDesk();
});
afterEach(async () => desk[Symbol.asyncDispose]());

describe('a problem of the service', () => {
  it('is told with each place, the request, and what to do', async () => {
    const errors = [
      { pointer: '/limit', detail: 'must be a number' },
      { pointer: '', detail: 'has no units' },
    ];
    desk.answer(page, problem('invalid_policy', 422, { errors }), { status: 422 });
    const ran = await desk.run(['list']);
    expect([ran.code, ran.stdout]).toEqual([1, '']);
    expect(ran.stderr).toBe(`Error: It is invalid_policy. (invalid_policy)
  /limit  must be a number
  (all of it)  has no units
Request: r-1
Next: Correct the rule where it is said, and try again
`);
  });

  it('is one JSON document on standard error with --json', async () => {
    const errors = [{ pointer: 'v1', detail: 'version 1.0.0' }];
    desk.answer(page, problem('ambiguous_snapshot', 409, { errors }), { status: 409 });
    const ran = await desk.run(['list', '--json']);
    expect([ran.code, ran.stdout]).toEqual([1, '']);
    expect(JSON.parse(ran.stderr)).toEqual({
      error: {
        exitCode: 1,
        code: 'ambiguous_snapshot',
        message: 'It is ambiguous_snapshot.',
        status: 409,
        requestId: 'r-1',
        errors,
        next: ['Name one of these snapshots'],
      },
    });
  });

  it.each(Object.entries(problems).map(([code, { status }]) => [code, status] as const))(
    '%s (%i) has an exit code that scripts can branch on',
    (code, status) => {
      const codes: Record<number, number> = {
        401: 4,
        403: 4,
        404: 3,
        429: 5,
        502: 5,
        503: 5,
        504: 5,
      };
      const report = reportOf(new ProblemError(problem(code, status)), undefined, 'get');
      expect(report.exitCode).toBe(codes[status] ?? 1);
    },
  );

  it.each([
    [['list'], 'hms/approve:policy', '--as approver'],
    [['list'], 'hms/read:audit', '--as auditor'],
    [['list'], 'hms/admin', '--as admin'],
  ])('of %j without %s names who may', async (args, scope, text) => {
    const detail = `This call needs the scope ${scope}.`;
    desk.answer(page, problem('forbidden', 403, { detail }), { status: 403 });
    const ran = await desk.run(args);
    expect(ran.code).toBe(4);
    expect(ran.stderr).toContain(`Next: The same with ${text}`);
  });

  it('of an installation elsewhere names the way to log in', async () => {
    desk.answer(page, problem('unauthenticated', 401), { status: 401 });
    const ran = await desk.run(['list'], { env: { HMS_TOKEN: 'old' } });
    expect(ran.code).toBe(4);
    expect(ran.stderr).toContain('Next: hms-svc login');
  });

  it('waits for nobody longer than it says', async () => {
    const headers = { 'retry-after': '120' };
    desk.answer(page, problem('too_many_requests', 429), { status: 429, headers });
    const ran = await desk.run(['list']);
    expect(ran.code).toBe(5);
    expect(ran.stderr).toContain('Next: Wait 120 s, then again');
  });

  it('is the answer of something else, too', async () => {
    desk.hms.answers[page] = () => ({ status: 418, chunks: ['<html>teapot</html>'] });
    const ran = await desk.run(['list']);
    expect(ran.code).toBe(1);
    expect(ran.stderr).toMatch(/answered 418\. \(http_418\)/);
  });
});

describe('trouble that is not one of the service', () => {
  it('has no stack, unless --debug asks for it', async () => {
    desk.hms.answers[page] = () => ({ status: 200, chunks: ['{"items": [tru'] });
    const ran = await desk.run(['list']);
    expect(ran.code).toBe(1);
    expect(ran.stderr).toContain('The answer is not JSON');
    expect(ran.stderr).not.toMatch(/^\s+at /m);
    expect((await desk.run(['list', '--debug'])).stderr).toMatch(/^\s+at /m);
  });

  it('of the terminal moves no cursor', async () => {
    const detail = 'evil \u001b[2J\u001b]0;title\u0007 text';
    desk.answer(page, problem('conflict', 409, { detail }), { status: 409 });
    const ran = await desk.run(['list']);
    expect(ran.stderr).toContain('evil  text');
    expect(ran.stderr).not.toContain('\u001b');
  });

  it('is an interruption with Ctrl-C', async () => {
    const interrupt = new AbortController();
    desk.hms.answers[page] = async () => {
      interrupt.abort(new Error('stopped by SIGINT'));
      return new Promise(() => undefined);
    };
    const ran = await desk.run(['list'], { signal: interrupt.signal });
    expect(ran).toEqual({ code: 130, stdout: '', stderr: '' });
  });
});

describe('without a service', () => {
  const folder = cliFolder();
  afterAll(() => folder.remove());
  it.each([
    [['list']],
    [['publish', 'package.json']],
    [['run', 'watch', '1']],
    [['jobs', 'list']],
    [['tail']],
    [['audit']],
    [['services', 'health']],
    [['verify', 'a']],
    [['api', 'GET', '/healthz']],
  ])('%j says what to start', async (args) => {
    const ran = await runCli(args, { cwd: folder.cwd });
    expect([ran.code === 4 || ran.code === 2, ran.stdout]).toEqual([true, '']);
    expect(ran.stderr).toMatch(/^Error: /);
    if (ran.code === 4) expect(ran.stderr).toContain('npm start');
  });
});
