import { CommanderError } from 'commander';
import { HmsError, NoAnswerError, ProblemError, TokenError } from '../api/errors.ts';
import type { ProblemDetail } from '../wire/problem.ts';
import { type ExitCode, exitCodes } from './exit-codes.ts';
import { Failure } from './failure.ts';
import type { Session } from './session.ts';

/** What is told of a failure, in the same words to people and, with `--json`, to programs. */
export interface ErrorReport {
  readonly exitCode: ExitCode;
  readonly code: string;
  readonly message: string;
  readonly status?: number;
  readonly requestId?: string;
  readonly errors?: readonly ProblemDetail[];
  readonly next: readonly string[];
}

/** `session` is the one that the command had by then; `group` is the command, or the one it is part of. */
export function reportOf(error: unknown, session: Session | undefined, group: string): ErrorReport {
  if (error instanceof Failure) {
    const { exitCode, message, next } = error;
    return { exitCode, code: codeNames[exitCode] ?? 'failed', message, next };
  }
  if (error instanceof CommanderError) {
    const message = error.message.replace(/^error: /, '');
    const next = ['The same with --help tells how'];
    return { exitCode: exitCodes.usage, code: 'usage', message, next };
  }
  if (error instanceof ProblemError) return reportOfProblem(error, session, group);
  const { message } = error instanceof Error ? error : { message: String(error) };
  if (error instanceof TokenError) {
    const next = session?.isLocal === true ? restart : login;
    return { exitCode: exitCodes.notAllowed, code: 'no_token', message, next };
  }
  if (error instanceof NoAnswerError) {
    const next = session?.isLocal === true ? ['Start the server: npm start'] : doctor;
    return { exitCode: exitCodes.unreachable, code: 'no_answer', message, next };
  }
  const next = error instanceof HmsError ? doctor : ['The same with --debug tells where'];
  return { exitCode: exitCodes.refused, code: 'failed', message, next };
}

/** For people, on standard error. */
export function errorLines({ message, errors = [], requestId, next, code }: ErrorReport): string[] {
  return [
    `Error: ${message}${code === 'failed' || code === 'usage' ? '' : ` (${code})`}`,
    ...errors.map(({ pointer, detail }) => `  ${pointer || '(all of it)'}  ${detail}`),
    ...(requestId === undefined || requestId === '' ? [] : [`Request: ${requestId}`]),
    ...next.map((step) => `Next: ${step}`),
  ];
}

const codeNames: Readonly<Record<number, string>> = {
  [exitCodes.usage]: 'usage',
  [exitCodes.notFound]: 'not_found',
  [exitCodes.notAllowed]: 'not_allowed',
  [exitCodes.unreachable]: 'unreachable',
  [exitCodes.endedBadly]: 'ended_badly',
  [exitCodes.interrupted]: 'interrupted',
};

const doctor = ['hms-svc doctor'];
const login = ['hms-svc login'];
const restart = ['HMS_DATA_DIR must name the data folder of the server that runs: hms-svc doctor'];

function reportOfProblem(
  error: ProblemError,
  session: Session | undefined,
  group: string,
): ErrorReport {
  const { code, message, status, requestId, errors } = error;
  return {
    exitCode: exitCodeOf(error),
    code,
    message,
    status,
    requestId,
    errors,
    next: nextOf(error, session, group),
  };
}

function exitCodeOf({ status }: ProblemError): ExitCode {
  if (status === 404) return exitCodes.notFound;
  if (status === 401 || status === 403) return exitCodes.notAllowed;
  return [429, 502, 503, 504].includes(status) ? exitCodes.unreachable : exitCodes.refused;
}

/** Who has the scope, among the clients that a server of this machine begins with. */
const holders: Readonly<Record<string, string>> = {
  'write:policy': 'editor',
  'approve:policy': 'approver',
  'read:audit': 'auditor',
  'read:job': 'service',
  'write:job': 'service',
  'work:job': 'service',
  'write:event': 'editor',
  'write:report': 'service',
  'write:service': 'editor',
  'call:service': 'service',
};

function nextOf(
  error: ProblemError,
  session: Session | undefined,
  group: string,
): readonly string[] {
  const { code, message, retryAfterMs } = error;
  if (retryAfterMs !== undefined) return [`Wait ${Math.ceil(retryAfterMs / 1000)} s, then again`];
  if (code === 'unauthenticated') return session?.isLocal === true ? restart : login;
  if (code === 'not_found') return [`${listings[group] ?? 'hms-svc list'} tells what there is`];
  if (code !== 'forbidden') return nextByCode[code] ?? [];
  const scope = /hms\/([a-z]+:[a-z]+|admin)/.exec(message)?.[1] ?? '';
  const holder = holders[scope] ?? 'admin';
  if (session?.isLocal === true && scope !== '') return [`The same with --as ${holder}`];
  return ['The same with the --profile of somebody who may; hms-svc doctor tells what you may'];
}

/** What lists the things that a group of commands is about. */
const listings: Readonly<Record<string, string>> = {
  approve: 'hms-svc run list',
  claims: 'hms-svc claims list',
  jobs: 'hms-svc jobs list',
  partners: 'hms-svc partners list',
  run: 'hms-svc run list',
  services: 'hms-svc services list --all',
  tickets: 'hms-svc tickets list --all',
};

const nextByCode: Readonly<Record<string, readonly string[]>> = {
  not_in_force: ['hms-svc list tells what is in force where'],
  ambiguous_snapshot: ['Name one of these snapshots'],
  nothing_to_roll_back_to: ['hms-svc history ID tells the snapshots; name one: ID@SNAPSHOT'],
  rollout_required: ['hms-svc run start ID@SNAPSHOT --channel prod'],
  job_not_open: ['hms-svc jobs get JOB'],
  conflict: ['Look at what is there now, and try again'],
  precondition_failed: ['hms-svc get ID tells what is in force now'],
  invalid_policy: ['Correct the rule where it is said, and try again'],
  invalid_package: ['Correct the package where it is said, and try again'],
  invalid_document: ['Send a document that is what its type says'],
  not_yet_effective: ['Publish or promote it: hms-svc publish FILE'],
  idempotency_key_reused: ['Send the first request unchanged, or take a new key'],
  internal: ['Give the request id to whoever runs the service'],
  unavailable: ['Try again; nothing is done twice'],
};
