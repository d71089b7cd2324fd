import type { Api } from './api.ts';
import { BadAnswerError } from './errors.ts';
import { readEvents } from './event-source.ts';

/**
 * The messages of a stream that the service ends by itself, from the first one on. `endsWith` says of
 * a message whether it is told of the end; undefined, when it is not about that.
 * Errors: as of `readEvents`.
 */
export async function* followToEnd<Message>(
  api: Api,
  path: string,
  endsWith: (message: Message) => boolean | undefined,
  signal: AbortSignal | undefined,
): AsyncGenerator<Message, void, undefined> {
  const over = new AbortController();
  let isEnd = false;
  const messages = readEvents(api, {
    path,
    signal: signal === undefined ? over.signal : AbortSignal.any([signal, over.signal]),
    // Ended in order, after the last word: there is no need to ask whether there is another.
    onState: (state) => {
      if (isEnd && state.kind === 'lost' && state.error === undefined) over.abort();
    },
  });
  try {
    for await (const { data } of messages) {
      const message = parsed(data) as Message;
      isEnd = endsWith(message) ?? isEnd;
      yield message;
    }
  } catch (error) {
    if (!over.signal.aborted) throw error;
  }
}

function parsed(data: string): unknown {
  try {
    return JSON.parse(data);
  } catch (error) {
    throw new BadAnswerError('A message of the stream is not JSON.', error);
  }
}
