import { exitCodes } from './exit-codes.ts';
import { Failure } from './failure.ts';
import type { Io } from './io.ts';

const maxBytes = 32 * 1024 * 1024;
const maxSecretChars = 4096;

/** All of standard input. Errors: `Failure` above 32 MiB. */
export async function readAll(stdin: Io['stdin']): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  for await (const chunk of stdin) {
    const bytes = Buffer.from(chunk);
    sizeBytes += bytes.length;
    if (sizeBytes > maxBytes) throw new Failure(exitCodes.usage, 'Standard input is over 32 MiB.');
    chunks.push(bytes);
  }
  return Buffer.concat(chunks);
}

/**
 * A secret from standard input: typed without an echo on a terminal, else all that comes.
 * Errors: `Failure` when it is empty, or Ctrl-C is typed.
 */
export async function readSecret(io: Io, prompt: string): Promise<string> {
  const { stdin } = io;
  const typed = stdin.isTTY === true ? await typeLine(io, prompt, false) : await readAll(stdin);
  const secret = typed.toString().trim();
  if (secret !== '') return secret;
  throw new Failure(exitCodes.usage, 'The secret is empty.', [
    'Type it when asked, or send it: hms-svc login … < secret.txt',
  ]);
}

/** A line typed on a terminal. Errors: `Failure` without one, or when Ctrl-C is typed. */
export async function askFor(io: Io, prompt: string, missing: string): Promise<string> {
  if (io.stdin.isTTY !== true) throw new Failure(exitCodes.usage, missing);
  const answer = (await typeLine(io, prompt, true)).trim();
  if (answer !== '') return answer;
  throw new Failure(exitCodes.usage, missing);
}

/** In raw mode, so that what is typed is shown only when it is meant to be. */
async function typeLine({ stdin, stderr }: Io, prompt: string, echo: boolean): Promise<string> {
  stderr.write(prompt);
  stdin.setRawMode?.(true);
  let line = '';
  try {
    for await (const chunk of stdin.iterator({ destroyOnReturn: false })) {
      for (const char of chunk.toString()) {
        if (char === '\r' || char === '\n' || char === '\u0004') return line;
        if (char === '\u0003') throw new Failure(exitCodes.interrupted, 'Nothing was changed.');
        if (char === '\u007f' || char === '\b') line = line.slice(0, -1);
        else if (char >= ' ' && line.length < maxSecretChars) line += char;
        if (echo) stderr.write(char);
      }
    }
    return line;
  } finally {
    stdin.setRawMode?.(false);
    // Else the process would wait for more of it.
    stdin.pause();
    stderr.write('\n');
  }
}
