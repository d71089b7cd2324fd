import { type Problem, problems } from '../contract/problems.ts';
import { AppError } from '../core/errors/app-error.ts';
import type { Log } from '../ports/log.ts';
import type { Reply } from './reply.ts';

/**
 * Any failure, as the caller sees it. What is not an `AppError` is a defect of ours: it is logged
 * whole, and the caller learns no more than the request id.
 */
export function problemReply(error: unknown, requestId: string, log: Log): Reply {
  const known = error instanceof AppError ? error : null;
  if (known === null || problems[known.code].status >= 500) {
    log.error('request failed', { requestId, error });
  }
  const code = known?.code ?? 'internal';
  const { status, title } = problems[code];
  const problem: Problem = {
    type: `urn:hms:problem:${code}`,
    title,
    status,
    code,
    detail: known?.message ?? `Tell the operator this request id: ${requestId}`,
    requestId,
    ...(known !== null && known.details.length > 0 ? { errors: known.details } : {}),
  };
  const headers: Record<string, string> = {
    'content-type': 'application/problem+json',
    'cache-control': 'no-store',
  };
  if (code === 'unauthenticated') headers['www-authenticate'] = 'Bearer realm="hms"';
  if (code === 'forbidden') headers['www-authenticate'] = 'Bearer error="insufficient_scope"';
  if (known?.retryAfterS !== undefined) headers['retry-after'] = String(known.retryAfterS);
  return { status, headers, body: JSON.stringify(problem) };
}
