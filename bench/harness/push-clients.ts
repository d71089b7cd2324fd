import { connect } from 'node:net';
import { WebSocket } from 'ws';
import { createClient } from '../../sdk/src/node.ts';
import { monotonicMs } from './monotonic-ms.ts';
import { answerQuestions } from './program.ts';

/**
 * How clients hear of a change: `raw`, `sse` and `websocket` when they are told of it; the others are
 * clients of the SDK, that have it when its rule is in force in their process.
 */
export type PushKind = 'raw' | 'sse' | 'websocket' | 'sdk-sse' | 'sdk-websocket';

export type PushQuestion =
  /** Opens so many clients of a kind. */
  | ({ readonly ask: 'open' } & PushTerms)
  /** Begins to look for a text in what those of a kind are told. */
  | { readonly ask: 'expect'; readonly kind: PushKind; readonly marker: string }
  /** Waits until each of them has had it. */
  | { readonly ask: 'collect'; readonly kind: PushKind };

export interface PushTerms {
  readonly kind: PushKind;
  readonly count: number;
  readonly port: number;
  readonly token: string;
}

/** When each had it, by `monotonicMs`; of anything but `collect`, nothing. */
export type PushAnswer = readonly number[];

type Hear = (text: string) => void;

const waitMs = 60_000;
/** So many connect at a time. */
const atOnce = 20;
const groups = new Map<PushKind, Group>();

answerQuestions(async (asked): Promise<PushAnswer> => {
  const question = asked as PushQuestion;
  if (question.ask === 'open') {
    groups.set(question.kind, await openGroup(question));
    return [];
  }
  const group = groups.get(question.kind);
  if (group === undefined) throw new Error(`there are no clients over ${question.kind}`);
  if (question.ask === 'collect') return await group.collect();
  group.expect(question.marker);
  return [];
});

/** What clients hear, and when. */
class Group {
  readonly #count: number;
  readonly #arrivals = new Map<number, number>();
  #marker = '';
  #all = Promise.withResolvers<void>();

  constructor(count: number) {
    this.#count = count;
  }

  expect(marker: string): void {
    this.#marker = marker;
    this.#arrivals.clear();
    this.#all = Promise.withResolvers();
  }

  hear(client: number, text: string): void {
    const isIt = this.#marker !== '' && text.includes(this.#marker);
    if (!isIt || this.#arrivals.has(client)) return;
    this.#arrivals.set(client, monotonicMs());
    if (this.#arrivals.size === this.#count) this.#all.resolve();
  }

  async collect(): Promise<PushAnswer> {
    const tooLate = setTimeout(() => {
      const missed = this.#count - this.#arrivals.size;
      this.#all.reject(new Error(`${missed} of ${this.#count} missed ${this.#marker}`));
    }, waitMs);
    await this.#all.promise;
    clearTimeout(tooLate);
    return [...this.#arrivals.values()];
  }
}

async function openGroup(terms: PushTerms): Promise<Group> {
  const group = new Group(terms.count);
  const open = openers[terms.kind];
  const numbers = Array.from({ length: terms.count }, (_, number) => number).values();
  const worker = async () => {
    for (const number of numbers) await open(terms, (text) => group.hear(number, text));
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  return group;
}

const openers: Readonly<Record<PushKind, (terms: PushTerms, hear: Hear) => Promise<void>>> = {
  raw: async ({ port }, hear) => openSocket(port, '', hear),
  sse: async ({ port, token }, hear) => {
    const head =
      `GET /api/stream/policies?channel=prod HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n` +
      `Authorization: Bearer ${token}\r\n\r\n`;
    return openSocket(port, head, hear);
  },
  websocket: openWebSocket,
  'sdk-sse': async (terms, hear) => openClient(terms, 'sse', hear),
  'sdk-websocket': async (terms, hear) => openClient(terms, 'websocket', hear),
};

/** A message comes in one piece on loopback. */
async function openSocket(port: number, greeting: string, hear: Hear): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const socket = connect(port, '127.0.0.1');
  socket.setEncoding('latin1').once('error', reject);
  socket.on('data', (text) => {
    if (text.includes('connected')) resolve();
    hear(String(text));
  });
  if (greeting !== '') socket.write(greeting);
  await promise;
}

async function openWebSocket({ port, token }: PushTerms, hear: Hear): Promise<void> {
  const answer = await fetch(`http://127.0.0.1:${port}/api/stream/tickets`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}` },
  });
  const { url } = (await answer.json()) as { url: string };
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const socket = new WebSocket(url);
  socket.once('error', reject);
  socket.once('open', () =>
    socket.send('{"type":"subscribe","subscription":"b","topic":"policies","channel":"prod"}'),
  );
  socket.on('message', (data) => {
    const text = (data as Buffer).toString('latin1');
    if (text.includes('"subscribed"')) resolve();
    hear(text);
  });
  await promise;
}

async function openClient(
  { port, token }: PushTerms,
  push: 'sse' | 'websocket',
  hear: Hear,
): Promise<void> {
  const baseUrl = `http://127.0.0.1:${port}`;
  const client = createClient({ baseUrl, auth: async () => token, push });
  client.onChange(({ version }) => hear(String(version)));
  await client.ready();
  for (const startedMs = monotonicMs(); client.status().push !== 'up';) {
    if (monotonicMs() - startedMs > waitMs) throw new Error(`${push} does not come up`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
