import { formatSeconds } from './durations.ts';
import { readEvents } from '../api/event-source.ts';
import type { ApiRequest } from '../api/api.ts';
import type { Cli } from './cli.ts';
import { exitCodes } from './exit-codes.ts';
import type { Role } from './session.ts';

/**
 * Writes each message of a stream: as a JSON line, or as `line` puts it. Goes on until the service has
 * nothing more to tell, or Ctrl-C, which is how such a command is ended: done.
 * Errors: those of `readEvents`.
 */
export async function writeStream(
  cli: Cli,
  role: Role,
  stream: Pick<ApiRequest, 'path' | 'query'> & { readonly lastEventId?: string | undefined },
  line: (data: string) => string,
): Promise<number> {
  const { io, out } = cli;
  const api = await cli.connect(role);
  try {
    const messages = readEvents(api, {
      ...stream,
      signal: io.signal,
      onState(state) {
        if (state.kind !== 'lost' || state.error === undefined) return;
        const seconds = formatSeconds(Math.ceil(state.retryInMs / 1000));
        out.note(`${state.error.message} Connecting again in ${seconds}.`);
      },
    });
    for await (const { data } of messages) {
      const message: unknown = JSON.parse(data);
      out.item(message, () => out.line(line(data)));
    }
  } catch (error) {
    if (!io.signal.aborted) throw error;
  }
  return io.signal.aborted ? exitCodes.interrupted : exitCodes.done;
}
