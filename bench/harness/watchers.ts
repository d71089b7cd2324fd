import { connect, type Socket } from 'node:net';
import { answerQuestions } from './program.ts';

export type WatcherQuestion =
  /** Opens so many sockets that each send `greeting`, and one more that can `shoot`. */
  | {
      readonly kind: 'open';
      readonly group: string;
      readonly port: number;
      readonly count: number;
      readonly greeting: string;
    }
  /** Sends bytes, and waits until each watcher of the group has been sent `marker`. */
  | {
      readonly kind: 'shoot';
      readonly group: string;
      readonly bytes: string;
      readonly marker: string;
    };

/** Of a shot: from just before it was sent until each watcher had it. */
export type WatcherAnswer = readonly number[];

interface Group {
  readonly watchers: readonly Socket[];
  readonly trigger: Socket;
}

const waitMs = 20_000;
const groups = new Map<string, Group>();

// All in one process, and so by one clock.
answerQuestions(async (asked): Promise<WatcherAnswer> => {
  const question = asked as WatcherQuestion;
  if (question.kind === 'open') {
    groups.set(question.group, await openGroup(question));
    return [];
  }
  const group = groups.get(question.group);
  if (group === undefined) throw new Error(`there is no group ${question.group}`);
  return await shoot(group, question.bytes, question.marker);
});

async function openGroup({
  port,
  count,
  greeting,
}: Extract<WatcherQuestion, { kind: 'open' }>): Promise<Group> {
  const watchers = Array.from({ length: count }, () => connect(port, '127.0.0.1'));
  const trigger = connect(port, '127.0.0.1').setNoDelay().resume();
  const greeted = watchers.map((socket) => seen(socket, 'connected'));
  if (greeting !== '') for (const socket of watchers) socket.write(greeting);
  await Promise.all(greeted);
  return { watchers, trigger };
}

async function shoot(
  { watchers, trigger }: Group,
  bytes: string,
  marker: string,
): Promise<WatcherAnswer> {
  let sentMs = Number.NaN;
  const waiting = watchers.map(async (socket) => {
    await seen(socket, marker);
    return performance.now() - sentMs;
  });
  sentMs = performance.now();
  trigger.write(bytes);
  return await Promise.all(waiting);
}

/** Resolves when the socket is sent a text, which on loopback comes in one piece. */
async function seen(socket: Socket, text: string): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const tooLate = setTimeout(() => reject(new Error(`a watcher missed ${text}`)), waitMs);
  const receive = (chunk: Buffer) => {
    if (chunk.includes(text)) resolve();
  };
  socket.on('data', receive);
  await promise;
  clearTimeout(tooLate);
  socket.off('data', receive);
}
