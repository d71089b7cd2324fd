import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { connect as connectSocket, type Socket } from 'node:net';
import { join } from 'node:path/posix';

import ssh2, { type Client, type SFTPWrapper } from 'ssh2';

import type { PartnerTarget } from '../../core/partners/partner.ts';
import type { Attempt, Notice, PartnerTransport } from '../../ports/partner-transport.ts';
import { attemptTimeoutMs, failed, failedBy, withinTime } from './attempt-failed.ts';
import {
  addressCheck,
  type CheckAddress,
  type CheckedAddress,
  type ReachableNetworks,
  type Resolve,
} from './public-address.ts';

export interface SftpTransportOptions {
  readonly networks: ReachableNetworks;
  readonly resolve?: Resolve;
  readonly timeoutMs?: number;
}

type SftpTarget = Extract<PartnerTarget, { kind: 'sftp' }>;

/**
 * Notices as files: `hms-<id>.json` in the partner's folder, and last `hms-<id>.json.sha256` as
 * `sha256sum -c` reads it: once that is there, the notice is whole. Each is written under a
 * temporary name that begins with a dot, and renamed. A repeat replaces both by the same.
 *
 * It connects to the very address that it checked, and shows the secret to no host but the one
 * with the key of the target. Errors: a network that is no CIDR.
 */
export function sftpTransport(options: SftpTransportOptions): PartnerTransport {
  const { networks, resolve, timeoutMs = attemptTimeoutMs } = options;
  const check = addressCheck(networks, resolve);
  return {
    async send(target, secret, notice) {
      if (target.kind !== 'sftp') throw new TypeError(`no SFTP: ${target.kind}`);
      if (target.port !== 22 && target.port < 1024) {
        return failed('The port cannot be used: put the partner again with another one.');
      }
      if (secret === undefined) {
        return failed('The secret is missing: put the partner again with one.');
      }
      const late = failed('The server did not take the files in time.');
      return await withinTime(
        timeoutMs,
        () => late,
        (signal) => deliver({ target, secret, notice, check, signal }),
      );
    },
  };
}

interface Delivery {
  readonly target: SftpTarget;
  readonly secret: string;
  readonly notice: Notice;
  readonly check: CheckAddress;
  readonly signal: AbortSignal;
}

async function deliver({ target, secret, notice, check, signal }: Delivery): Promise<Attempt> {
  let address: CheckedAddress | undefined;
  try {
    address = await check(target.host);
  } catch (error) {
    return failedBy('The host name could not be resolved', error);
  }
  if (address === undefined) return failed('The host leads to an address that is not public.');
  if (signal.aborted) return failed('The host name was not resolved in time.');
  const socket = connectSocket({ host: address.address, port: target.port, noDelay: true });
  const client = new ssh2.Client();
  // The last word on every way out of here; what fails after it is of no interest.
  client.on('error', () => undefined);
  socket.on('error', () => undefined);
  signal.addEventListener('abort', () => socket.destroy(), { once: true });
  try {
    return await exchange(client, socket, target, secret, notice);
  } finally {
    // A word of farewell; `signal` then ends the connection for good.
    client.end();
  }
}

async function exchange(
  client: Client,
  socket: Socket,
  target: SftpTarget,
  secret: string,
  notice: Notice,
): Promise<Attempt> {
  const credential = credentialOf(secret);
  if (credential === undefined) {
    return failed('The private key cannot be read: put the partner with one without passphrase.');
  }
  try {
    await Promise.race([once(socket, 'connect'), brokenBy(socket)]);
  } catch (error) {
    return failedBy('No connection', error);
  }
  const host = { isOther: false };
  try {
    const hostVerifier = (key: Buffer): boolean => {
      host.isOther = fingerprintOf(key) !== target.hostKey;
      return !host.isOther;
    };
    const ready = Promise.race([once(client, 'ready'), brokenBy(client)]);
    // Nobody awaits it when `connect` throws.
    ready.catch(() => undefined);
    client.connect({ sock: socket, username: target.username, ...credential, hostVerifier });
    await ready;
  } catch (error) {
    if (host.isOther) return failed('The host has another key than the one of the partner.');
    return failed(`${loginFailure(error)}.`);
  }
  try {
    await Promise.race([writeNotice(client, target.folder, notice), brokenBy(client)]);
  } catch (error) {
    return failed(`The server did not take the files${statusOf(error)}.`);
  }
  return { outcome: 'delivered', detail: 'Written.' };
}

/** Undefined for what looks like a key, and is none that can be used. */
function credentialOf(
  secret: string,
): { readonly privateKey: string } | { readonly password: string } | undefined {
  if (!secret.trimStart().startsWith('-----BEGIN ')) return { password: secret };
  return ssh2.utils.parseKey(secret) instanceof Error ? undefined : { privateKey: secret };
}

/** As OpenSSH prints it. */
function fingerprintOf(key: Buffer): string {
  return `SHA256:${createHash('sha256').update(key).digest('base64').replace(/=+$/, '')}`;
}

/** Rejects when the connection breaks. */
async function brokenBy(connection: Socket | Client): Promise<never> {
  // It rejects by itself for an error.
  await once(connection, 'close');
  throw new Error('closed');
}

function loginFailure(error: unknown): string {
  const level = error instanceof Error && 'level' in error ? error.level : undefined;
  return level === 'client-authentication'
    ? 'The server refused the user name or the secret'
    : 'The SSH handshake failed';
}

async function writeNotice(client: Client, folder: string, { id, body }: Notice): Promise<void> {
  const sftp = await called<SFTPWrapper>((done) => client.sftp(done));
  const name = `hms-${id}.json`;
  const digest = createHash('sha256').update(body).digest('hex');
  await place(sftp, folder, name, body);
  await place(sftp, folder, `${name}.sha256`, `${digest}  ${name}\n`);
}

/** Puts a file there so that nobody sees a part of it. */
async function place(sftp: SFTPWrapper, folder: string, name: string, text: string): Promise<void> {
  const temporary = join(folder, `.${name}.part`);
  const path = join(folder, name);
  await called((done) => sftp.writeFile(temporary, text, done));
  try {
    await called((done) => sftp.ext_openssh_rename(temporary, path, done));
  } catch {
    // Not every server has it; the rename of SFTP 3 replaces nothing.
    await called((done) => sftp.rename(temporary, path, done)).catch(async () => {
      await called((done) => sftp.unlink(path, done));
      await called((done) => sftp.rename(temporary, path, done));
    });
  }
}

function called<T = void>(
  call: (done: (error: Error | null | undefined, value: T) => void) => unknown,
): Promise<T> {
  return new Promise((resolve, reject) => {
    call((error, value) => {
      if (error === null || error === undefined) resolve(value);
      else reject(error);
    });
  });
}

const statusNames = new Map<unknown, string>([
  [ssh2.utils.sftp.STATUS_CODE.NO_SUCH_FILE, 'no such folder'],
  [ssh2.utils.sftp.STATUS_CODE.PERMISSION_DENIED, 'permission denied'],
  [ssh2.utils.sftp.STATUS_CODE.FAILURE, 'failure'],
]);

/** By the code alone: the message is the server's. */
function statusOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  const name = statusNames.get(code);
  return name === undefined ? '' : ` (${name})`;
}
