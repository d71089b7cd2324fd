import { type Problem, problems } from '../contract/problems.ts';
import { AppError, ServiceFailed } from '../core/errors/app-error.ts';
import type { Log, LogFields } from '../ports/log.ts';
import type { Reply } from './reply.ts';

/** What the log is to tell of a call besides its request id; asked only when it is written. */
export type AboutCall = () => LogFields;

/** Any failure, as the caller sees it: a problem, with the status that it names. */
export function problemReply(
  error: unknown,
  requestId: string,
  log: Log,
  about?: AboutCall,
): Reply {
  const problem = problemOf(error, requestId, log, about);
  const { code, status } = problem;
  const headers: Record<string, string> = {
    'content-type': 'application/problem+json',
    'cache-control': 'no-store',
  };
  if (code === 'unauthenticated') headers['www-authenticate'] = 'Bearer realm="hms"';
  if (code === 'forbidden') headers['www-authenticate'] = 'Bearer error="insufficient_scope"';
  if (error instanceof AppError && error.retryAfterS !== undefined) {
    headers['retry-after'] = String(error.retryAfterS);
  }
  const reply = { status, headers, body: JSON.stringify(problem) };
  return error instanceof ServiceFailed ? { ...reply, ofService: true } : reply;
}

/**
 * The problem that a failure is. What is not an `AppError` is a defect of ours: it is logged whole,
 * and the caller learns no more than the request id.
 */
export function problemOf(
  error: unknown,
  requestId: string,
  log: Log,
  about: AboutCall = () => ({}),
): Problem {
  const known = error instanceof AppError ? error : null;
  if (known instanceof ServiceFailed) {
    log.warn('service failed', { requestId, ...about(), reason: known.message });
  } else if (known === null || problems[known.code].status >= 500) {
    log.error('request failed', { requestId, ...about(), error });
  }
  const code = known?.code ?? 'internal';
  const { status, title } = problems[code];
  return {
    type: `urn:hms:problem:${code}`,
    title,
    status,
    code,
    detail: known?.message ?? `Tell the operator this request id: ${requestId}`,
    requestId,
    ...(known !== null && known.details.length > 0 ? { errors: known.details } : {}),
  };
}
