import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import type { Cli } from '../cli.ts';
import { exitCodes } from '../exit-codes.ts';
import { Failure } from '../failure.ts';
import { packageFolder } from '../package-folder.ts';
import type { Session } from '../session.ts';

/** What the checkout of the platform has, and this package has not: the CDK, and what to deploy. */
const script = 'scripts/deploy-on-aws.ts';

/**
 * Has the checkout of the platform deploy a service with the CDK, or take it away, and answers its exit
 * code. The checkout is the one that we are part of, else that of the folder, or of one above it.
 * Errors: `Failure` without one.
 */
export async function deployOnAws(
  { io }: Cli,
  session: Session | undefined,
  args: readonly string[],
): Promise<number> {
  const checkout = findCheckout(io.cwd);
  const child = spawn(process.execPath, [join(checkout, script), ...args], {
    cwd: io.cwd,
    env: { ...credentialsOf(session), ...io.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  child.stdout.pipe(io.stdout, { end: false });
  child.stderr.pipe(io.stderr, { end: false });
  const [code] = (await once(child, 'close')) as [number | null];
  return code ?? exitCodes.interrupted;
}

function findCheckout(cwd: string): string {
  const own = dirname(packageFolder());
  if (existsSync(join(own, script))) return own;
  for (let folder = resolve(cwd); ; folder = dirname(folder)) {
    if (existsSync(join(folder, script)) && existsSync(join(folder, 'cdk.json'))) return folder;
    if (folder === dirname(folder)) break;
  }
  throw new Failure(exitCodes.usage, 'There is no checkout of the platform here.', [
    'Run it in one: what a service is on AWS, and the CDK, are there',
  ]);
}

/** Those of a profile, for what the environment does not say. */
function credentialsOf(session: Session | undefined): Record<string, string> {
  if (session === undefined || typeof session.auth === 'function') return {};
  const { clientId, clientSecret, tokenUrl } = session.auth;
  return {
    HMS_URL: session.url,
    HMS_TOKEN_URL: tokenUrl,
    HMS_CLIENT_ID: clientId,
    HMS_CLIENT_SECRET: clientSecret,
  };
}
