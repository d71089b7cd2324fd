import type { Command } from 'commander';
import { stat } from 'node:fs/promises';
import { type Api, createApi } from '../../api/api.ts';
import { NoAnswerError } from '../../api/errors.ts';
import { tokenSource } from '../../api/token-source.ts';
import { cacheFolder, isWritable } from '../cache-folder.ts';
import type { Cli, Does } from '../cli.ts';
import { configFolder } from '../config-folder.ts';
import { formatMs } from '../durations.ts';
import { reportOf } from '../error-text.ts';
import { withExamples } from '../examples.ts';
import { exitCodes } from '../exit-codes.ts';
import { Failure } from '../failure.ts';
import type { Session } from '../session.ts';
import { version } from '../version.ts';

interface Finding {
  readonly check: string;
  readonly ok: boolean;
  readonly detail: string;
  /** What mends it. */
  readonly fix: string | null;
}

const minNode = 22;
const maxSkewMs = 30_000;
const maxLatencyMs = 2000;
const streamMs = 10_000;

export function addDoctor(program: Command, does: Does): void {
  const command = program
    .command('doctor')
    .summary('find out what is in the way')
    .description(
      'Checks one thing after the other, and says of each what mends it. Exits with 1 if any.',
    )
    .action(does(doctor));
  withExamples(command, 'hms-svc doctor', 'hms-svc doctor --profile prod --json');
}

async function doctor(cli: Cli): Promise<number> {
  const findings: Finding[] = [];
  const { out } = cli;
  const told = (found: Finding) => {
    findings.push(found);
    if (!out.isJson) tell(cli, found);
  };
  told(nodeVersion());
  told(await settings(cli));
  told(await cache(cli));
  const session = await attempt(told, 'credentials', async () => cli.session('service'));
  if (session !== undefined) await checkService(cli, session, told);
  const ok = findings.every((found) => found.ok);
  out.result({ ok, version, findings }, () => {
    out.line(ok ? 'All is well.' : out.paint('yellow', 'See what is to be mended above.'));
  });
  return ok ? exitCodes.done : exitCodes.refused;
}

function tell({ out }: Cli, { check, ok, detail, fix }: Finding): void {
  const dots = out.paint('dim', '.'.repeat(Math.max(3, 14 - check.length)));
  const mark = ok ? out.paint('green', 'ok') : out.paint('red', 'fix');
  out.line(`• ${check} ${dots} ${mark} (${detail})`);
  if (fix !== null) out.line(`    ${fix}`);
}

async function checkService(
  cli: Cli,
  session: Session,
  told: (found: Finding) => void,
): Promise<void> {
  const { url, who, from } = session;
  told({ check: 'credentials', ok: true, detail: `${who} at ${url}, by ${from}`, fix: null });
  const answered = await attempt(told, 'service', async () => reach(cli, url), session);
  if (answered === undefined) return;
  for (const found of answered) told(found);
  const token = await attempt(
    told,
    'token',
    async () => tokenSource(session.auth, fetch).token(),
    session,
  );
  if (token === undefined) return;
  for (const found of tokenFindings(token, cli.io.nowMs())) told(found);
  const api = await cli.connect('service');
  const heard = await attempt(told, 'stream', async () => listen(cli, api), session);
  if (heard !== undefined) told(heard);
}

/** Undefined, and told, when it fails. */
async function attempt<T>(
  told: (found: Finding) => void,
  check: string,
  work: () => Promise<T>,
  session?: Session,
): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    const { message, next } = reportOf(error, session, 'doctor');
    // Not to itself.
    const fix =
      next.find((step) => step !== 'hms-svc doctor') ?? 'Is the address right, and the way free?';
    told({ check, ok: false, detail: message, fix });
    return undefined;
  }
}

function nodeVersion(): Finding {
  const { node } = process.versions;
  const ok = Number.parseInt(node, 10) >= minNode;
  const fix = ok ? null : `Take Node.js ${minNode} or newer`;
  return { check: 'node', ok, detail: `Node.js ${node}, hms-svc ${version}`, fix };
}

async function settings({ io }: Cli): Promise<Finding> {
  const folder = configFolder(io);
  const found = await stat(folder).catch(() => undefined);
  const others = process.platform !== 'win32' && ((found?.mode ?? 0) & 0o022) !== 0;
  return {
    check: 'settings',
    ok: !others,
    detail: found === undefined ? `${folder}, not there yet` : folder,
    fix: others ? `Others may write there: chmod 700 ${folder}` : null,
  };
}

/** Of a program that begins while the service is down, it is all there is. */
async function cache({ io }: Cli): Promise<Finding> {
  const folder = cacheFolder(io);
  if (folder === undefined) {
    return { check: 'cache', ok: true, detail: 'off, by HMS_CACHE_DIR', fix: null };
  }
  const ok = await isWritable(folder);
  const fix = ok ? null : 'Nothing can be written there; or name another by HMS_CACHE_DIR';
  return { check: 'cache', ok, detail: folder, fix };
}

async function reach({ io }: Cli, url: string): Promise<Finding[]> {
  const startMs = performance.now();
  const { headers } = await createApi({ baseUrl: url }).send({
    path: '/healthz',
    signal: io.signal,
    retries: 0,
  });
  const tookMs = performance.now() - startMs;
  const slow = tookMs > maxLatencyMs;
  const service: Finding = {
    check: 'service',
    ok: !slow,
    detail: `answers after ${formatMs(tookMs)}`,
    fix: slow ? 'It is slow, or far away: see its own health, and the way there' : null,
  };
  // The header has whole seconds, of the moment when it was answered.
  const skewMs = Date.parse(headers.get('date') ?? '') + 500 - (io.nowMs() - tookMs / 2);
  if (Number.isNaN(skewMs)) return [service];
  const off = Math.abs(skewMs) > maxSkewMs;
  const clock: Finding = {
    check: 'clock',
    ok: !off,
    detail: skewText(skewMs),
    fix: off
      ? 'Set the clock of this machine (NTP): rules take effect, and tokens end, by it'
      : null,
  };
  return [service, clock];
}

function skewText(skewMs: number): string {
  if (Math.abs(skewMs) < 1000) return 'that of the service, to a second';
  return `${formatMs(Math.abs(skewMs))} ${skewMs < 0 ? 'ahead of' : 'behind'} the service`;
}

/** What it says of itself: whether it is sound is for the service to say. */
function tokenFindings(token: string, nowMs: number): Finding[] {
  const { exp, scope, tenant } = claimsOf(token);
  const leftMs = typeof exp === 'number' ? exp * 1000 - nowMs : undefined;
  const ended = leftMs !== undefined && leftMs <= 0;
  const life = leftMs === undefined ? 'of unknown life' : `good for ${formatMs(leftMs)}`;
  const of = typeof tenant === 'string' ? `, tenant ${tenant}` : '';
  const scopes =
    typeof scope === 'string'
      ? scope
          .split(' ')
          .map((one) => one.replace(/^hms\//, ''))
          .filter((one) => one !== '')
      : [];
  const some = scopes.length > 0;
  return [
    {
      check: 'token',
      ok: !ended,
      detail: `${ended ? 'has ended' : life}${of}`,
      fix: ended ? 'Take a new one: HMS_TOKEN is not renewed by itself' : null,
    },
    {
      check: 'scopes',
      ok: some,
      detail: scopes.join(', ') || 'none',
      fix: some ? null : 'Have whoever runs the service give the client scopes',
    },
  ];
}

function claimsOf(token: string): Readonly<Record<string, unknown>> {
  try {
    const [, payload = ''] = token.split('.');
    return JSON.parse(Buffer.from(payload, 'base64url').toString('utf8')) as Record<
      string,
      unknown
    >;
  } catch {
    return {};
  }
}

/** A stream is held back by some proxies: the first byte tells. */
async function listen({ io }: Cli, api: Api): Promise<Finding> {
  const leaving = new AbortController();
  const startMs = performance.now();
  const silence = new NoAnswerError(`The stream says nothing for ${formatMs(streamMs)}.`);
  const timer = setTimeout(() => leaving.abort(silence), streamMs);
  try {
    const signal = AbortSignal.any([io.signal, leaving.signal]);
    const response = await api.open({ path: '/api/stream/policies', signal });
    const { value } = (await response.body?.getReader().read()) ?? {};
    if (value === undefined) throw new Failure(exitCodes.refused, 'The stream ended at once.');
    const detail = `speaks after ${formatMs(performance.now() - startMs)}`;
    return { check: 'stream', ok: true, detail, fix: null };
  } finally {
    clearTimeout(timer);
    leaving.abort();
  }
}
