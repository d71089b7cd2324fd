import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { problemSchema } from '../../../src/contract/problem-schema.ts';
import { problems } from '../../../src/contract/problems.ts';
import {
  AppError,
  type ErrorCode,
  InvalidRequest,
  Unavailable,
} from '../../../src/core/errors/app-error.ts';
import { problemReply } from '../../../src/http/problem-reply.ts';
import { coreDeps } from '../../support/core-deps.ts';

const secret = 'hunter2 /var/lib/hms/clients.json arn:aws:iam::1:role/x';
const codes = Object.keys(problems) as ErrorCode[];

function replyTo(error: unknown) {
  const { log } = coreDeps();
  const { status, headers, body } = problemReply(error, 'request-1', log);
  return { status, headers, body: typeof body === 'string' ? body : '', log };
}

describe('problems', () => {
  it.each(codes)('%s is one, with the status and title of its kind', (code) => {
    const error = new AppError(code, 'what to do', { cause: new Error(secret) });
    const { status, headers, body } = replyTo(error);
    expect(status).toBe(problems[code].status);
    expect(headers['content-type']).toBe('application/problem+json');
    expect(headers['cache-control']).toBe('no-store');
    expect(problemSchema.parse(JSON.parse(body))).toEqual({
      type: `urn:hms:problem:${code}`,
      title: problems[code].title,
      status,
      code,
      detail: 'what to do',
      requestId: 'request-1',
    });
  });

  it.each([
    ['an error of ours that is none', new TypeError(secret)],
    ['an error with a cause', new Error('x', { cause: new Error(secret) })],
    ['a text', secret],
    ['an object', { message: secret, code: 'not_found', status: 404 }],
    ['nothing', undefined],
    ['null', null],
    ['what looks like one of ours', Object.assign(new Error(secret), { code: 'not_found' })],
    ['what answers with a secret', Object.assign(new Error(), { toJSON: () => secret })],
  ])('never tell of %s', (_, error) => {
    const { status, headers, body, log } = replyTo(error);
    expect(status).toBe(500);
    expect(body + JSON.stringify(headers)).not.toContain('hunter2');
    expect(JSON.parse(body)).toMatchObject({ code: 'internal', requestId: 'request-1' });
    expect(log.lines).toMatchObject([{ level: 'error', requestId: 'request-1', error }]);
  });

  it('never tell the cause of a known error, but log it when it is our failure', () => {
    const error = new Unavailable('The store did not answer.', new Error(secret));
    const { headers, body, log } = replyTo(error);
    expect(body).not.toContain('hunter2');
    expect(headers['retry-after']).toBe('1');
    expect(log.lines).toMatchObject([{ level: 'error', error }]);
  });

  it('list the findings of bad input, and log nothing', () => {
    const findings = [{ pointer: '/id', detail: 'is missing' }];
    const { body, log } = replyTo(new InvalidRequest('No.', findings));
    expect(JSON.parse(body)).toMatchObject({ errors: findings });
    expect(log.lines).toEqual([]);
  });

  it('tell how to authenticate, and what is lacking', () => {
    const header = (code: ErrorCode) => replyTo(new AppError(code, '')).headers['www-authenticate'];
    expect(header('unauthenticated')).toBe('Bearer realm="hms"');
    expect(header('forbidden')).toBe('Bearer error="insufficient_scope"');
    expect(header('not_found')).toBeUndefined();
  });

  it.each(codes)('docs/errors.md says what to do about %s', async (code) => {
    const text = await readFile(new URL('../../../docs/errors.md', import.meta.url), 'utf8');
    expect(text).toMatch(new RegExp(`^\\| \`${code}\` +\\| ${problems[code].status} +\\|`, 'm'));
  });
});
