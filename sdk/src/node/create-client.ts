import { createHash } from 'node:crypto';
import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import type { ClientOptions } from '../policies/client-options.ts';
import { openClient } from '../policies/create-client.ts';
import type { PolicyClient } from '../policies/policy-client.ts';
import type { OpenCopy } from '../policies/rule-copy.ts';
import type { CopyOwner } from './rule-text.ts';
import { SavedCopy } from './saved-copy.ts';

export interface NodeClientOptions extends ClientOptions {
  /**
   * The folder for a copy of the rules, from which a process begins while the service is down; `false`
   * for none. `$XDG_CACHE_HOME/hms-svc`, else `~/.cache/hms-svc`, unless given. With a function for
   * `auth`, nobody knows whose rules they are: then there is a copy only in a folder that is given.
   */
  readonly cacheDir?: string | false;
}

/**
 * The rules of a channel, in this process, from now on: kept up to date in the background until it is
 * closed. Errors: `HmsError` when an option makes no sense.
 */
export function createClient({ cacheDir, ...options }: NodeClientOptions): PolicyClient {
  return openClient(options, copyFor(options, cacheDir));
}

function copyFor(
  options: ClientOptions,
  cacheDir: string | false | undefined,
): OpenCopy | undefined {
  const { baseUrl, auth, channel = 'prod', subject = null, region = null, policies } = options;
  const client = typeof auth === 'object' ? auth.clientId : null;
  const folder = cacheDir ?? (client === null ? false : defaultFolder());
  if (folder === false) return undefined;
  const asked = policies === undefined ? null : [...new Set(policies)].sort();
  const owner = { baseUrl, client, channel, subject, region, policies: asked };
  const file = join(folder, `${nameOf(owner)}.json`);
  return (onFailure) => new SavedCopy(file, owner, onFailure);
}

function nameOf(owner: CopyOwner): string {
  return createHash('sha256').update(JSON.stringify(owner)).digest('hex').slice(0, 32);
}

function defaultFolder(): string {
  const { XDG_CACHE_HOME: given = '' } = process.env;
  // As the XDG base directory specification has it: any other is to be ignored.
  return join(isAbsolute(given) ? given : join(homedir(), '.cache'), 'hms-svc');
}
