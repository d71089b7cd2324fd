import { createHash } from 'node:crypto';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import ssh2, { type Client, type SFTPWrapper } from 'ssh2';
import { makeSshKey } from './make-ssh-key.ts';

export interface SftpServer extends AsyncDisposable {
  readonly port: number;
  /** `SHA256:…`, of the host's key. */
  readonly hostKey: string;
  /** By path. */
  readonly files: Map<string, string>;
  /** What was done, in order: `write /in/.a.part`, `rename /in/.a.part /in/a` … */
  readonly done: string[];
  /** Every password or key that was tried. */
  readonly credentials: string[];
  /** How many connections are open. */
  connections: number;
}

export const sftpUser = 'hms';
export const sftpPassword = 'correct horse battery staple';
export const sftpFolder = '/incoming';

const { STATUS_CODE } = ssh2.utils.sftp;

/** An SFTP server with a folder `/incoming` in memory, on loopback. Renames replace nothing. */
export async function startSftpServer(authorizedKey?: string): Promise<SftpServer> {
  const key = makeSshKey();
  const state = { files: new Map<string, string>(), done: [] as string[] };
  const credentials: string[] = [];
  const sockets = new Set<ssh2.Connection>();
  const server = new ssh2.Server({ hostKeys: [key.private] }, (client) => {
    // Its types lack it; without, each answer waits 40 ms.
    (client as unknown as Client).setNoDelay(true);
    sockets.add(client);
    result.connections += 1;
    client.on('close', () => {
      sockets.delete(client);
      result.connections -= 1;
    });
    client.on('error', () => undefined);
    client.on('authentication', (context) => {
      if (context.method === 'password') credentials.push(context.password);
      const isAccepted =
        context.username === sftpUser &&
        ((context.method === 'password' && context.password === sftpPassword) ||
          (context.method === 'publickey' && isKey(authorizedKey, context.key.data)));
      if (isAccepted) context.accept();
      else context.reject();
    });
    client.on('session', (accept) => {
      accept().on('sftp', (open) => serve(open(), state));
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const parsed = ssh2.utils.parseKey(key.public);
  if (parsed instanceof Error) throw parsed;
  const digest = createHash('sha256').update(parsed.getPublicSSH()).digest('base64');
  const result: SftpServer = {
    port: (server.address() as AddressInfo).port,
    hostKey: `SHA256:${digest.replace(/=+$/, '')}`,
    ...state,
    credentials,
    connections: 0,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.end();
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
      });
    },
  };
  return result;
}

function isKey(authorized: string | undefined, offered: Buffer): boolean {
  if (authorized === undefined) return false;
  const parsed = ssh2.utils.parseKey(authorized);
  return !(parsed instanceof Error) && parsed.getPublicSSH().equals(offered);
}

function serve(sftp: SFTPWrapper, { files, done }: Pick<SftpServer, 'files' | 'done'>): void {
  const handles = new Map<string, { path: string; chunks: Buffer[] }>();
  sftp.on('OPEN', (id, path) => {
    if (!path.startsWith(`${sftpFolder}/`)) return sftp.status(id, STATUS_CODE.NO_SUCH_FILE);
    const handle = Buffer.from(String(handles.size));
    handles.set(handle.toString(), { path, chunks: [] });
    sftp.handle(id, handle);
  });
  sftp.on('WRITE', (id, handle, _offset, data) => {
    handles.get(handle.toString())?.chunks.push(Buffer.from(data));
    sftp.status(id, STATUS_CODE.OK);
  });
  sftp.on('CLOSE', (id, handle) => {
    const file = handles.get(handle.toString());
    if (file !== undefined) {
      files.set(file.path, Buffer.concat(file.chunks).toString());
      done.push(`write ${file.path}`);
    }
    sftp.status(id, STATUS_CODE.OK);
  });
  sftp.on('RENAME', (id, from, to) => {
    const text = files.get(from);
    if (text === undefined || files.has(to)) return sftp.status(id, STATUS_CODE.FAILURE);
    files.delete(from);
    files.set(to, text);
    done.push(`rename ${from} ${to}`);
    sftp.status(id, STATUS_CODE.OK);
  });
  sftp.on('REMOVE', (id, path) => {
    done.push(`remove ${path}`);
    sftp.status(id, files.delete(path) ? STATUS_CODE.OK : STATUS_CODE.NO_SUCH_FILE);
  });
}
