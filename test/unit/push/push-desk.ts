import { expect } from 'vitest';
import { eventsOf } from '../../../src/core/events-of.ts';
import type { Principal } from '../../../src/core/identity/principal.ts';
import { journalLength } from '../../../src/core/journal/read-journal.ts';
import { relayAllJournals } from '../../../src/core/journal/relay-journal.ts';
import { publishPolicy } from '../../../src/core/policies/publish-policy.ts';
import type { Channel } from '../../../src/core/policies/channel.ts';
import { doPushTasks } from '../../../src/core/push/do-push-tasks.ts';
import type { PushDeps } from '../../../src/core/push/push-deps.ts';
import type { ClientFrame } from '../../../src/core/push/push-frames.ts';
import { tellShards } from '../../../src/core/push/push-interest.ts';
import { issueTicket } from '../../../src/core/push/tickets.ts';
import { gatewayFrames } from '../../../src/http/websocket/gateway-frames.ts';
import { type CoreDeps, coreDeps } from '../../support/core-deps.ts';
import { memoryConnections, type MemoryConnections } from '../../support/memory-connections.ts';
import { memoryPushQueue, type MemoryPushQueue } from '../../support/memory-push-queue.ts';
import { type Frame, parseServerFrame } from '../../support/parse-server-frame.ts';
import { ruleYaml } from '../../support/policy-documents.ts';

type Message = Extract<Frame, { type: 'message' }>;

export const hourMs = 3_600_000;

export function principalOf(
  deps: Pick<CoreDeps, 'clock'>,
  given: Partial<Principal> = {},
): Principal {
  return {
    tenant: 'demo',
    actor: 'demo-service',
    scopes: new Set(['read:policy', 'read:job']),
    subject: 'demo-service',
    region: undefined,
    expiresAtMs: deps.clock.nowMs() + 24 * hourMs,
    ...given,
  };
}

/** A client as the protocol asks it to be: it goes by the latest position that it got. */
export class DeskClient {
  readonly connection: string;
  readonly #frames: Frame[] = [];
  readonly #positions = new Map<string, string>();
  readonly #desk: PushDesk;
  #taken = 0;

  constructor(desk: PushDesk, connection: string) {
    this.#desk = desk;
    this.connection = connection;
  }

  /** All that it was sent, each held against the contract. */
  get frames(): readonly Frame[] {
    this.read();
    return this.#frames;
  }

  /** Where it would go on. */
  position(subscription: string): string {
    this.read();
    return this.#positions.get(subscription) ?? '';
  }

  get isOpen(): boolean {
    return this.#desk.connections.isOpen(this.connection);
  }

  /** Sends a frame, or any text, and answers what came of it by now. */
  async send(frame: ClientFrame | string | null): Promise<Frame[]> {
    const text = typeof frame === 'object' && frame !== null ? JSON.stringify(frame) : frame;
    await this.#desk.gateway.message(this.connection, text);
    return this.read();
  }

  /** What came since it looked last. */
  read(): Frame[] {
    const texts = this.#desk.connections.heard(this.connection).slice(this.#taken);
    this.#taken += texts.length;
    const frames = texts.map(parseServerFrame);
    for (const frame of frames) this.#note(frame);
    this.#frames.push(...frames);
    return frames;
  }

  /** The ids of messages of a subscription, in the order in which they came. */
  ids(subscription: string): (string | null)[] {
    return this.#messages(subscription).map(({ id }) => id);
  }

  data(subscription: string): Readonly<Record<string, unknown>>[] {
    return this.#messages(subscription).map(({ data }) => data as Record<string, unknown>);
  }

  #messages(name: string): Message[] {
    return this.frames.filter(
      (frame): frame is Message => frame.type === 'message' && frame.subscription === name,
    );
  }

  #note(frame: Frame): void {
    if (frame.type === 'subscribed') this.#positions.set(frame.subscription, frame.after);
    if (frame.type === 'message' && frame.id !== null) {
      this.#positions.set(frame.subscription, frame.id);
    }
    if (frame.type !== 'pong') return;
    for (const [name, position] of Object.entries(frame.positions)) {
      this.#positions.set(name, position);
    }
  }
}

/** All of the push over records in memory: who asks for it, who tells of it, and who does it. */
export class PushDesk {
  readonly deps: CoreDeps & PushDeps;
  readonly connections: MemoryConnections;
  readonly queue: MemoryPushQueue;
  readonly gateway: ReturnType<typeof gatewayFrames>;
  #limit = 0;

  constructor(given: Partial<CoreDeps & PushDeps> = {}) {
    this.connections = memoryConnections();
    this.queue = memoryPushQueue();
    const core = coreDeps(given);
    this.deps = { ...core, poster: this.connections, pushQueue: this.queue, ...given };
    this.gateway = gatewayFrames(this.deps);
  }

  async connect(given: Partial<Principal> = {}): Promise<DeskClient> {
    const { ticket } = await issueTicket(this.deps, principalOf(this.deps, given));
    const connection = this.connections.open();
    expect(await this.gateway.connect(connection, ticket)).toBe(200);
    return new DeskClient(this, connection);
  }

  /** Publishes so many rules, one after the other, and answers the indexes of their entries. */
  async publish(count = 1, channel: Channel = 'prod', tenant = 'demo'): Promise<number[]> {
    const indexes: number[] = [];
    for (let nth = 0; nth < count; nth++) {
      const yaml = ruleYaml('p', { limit: this.#limit++ });
      await publishPolicy(
        this.deps,
        { tenant, actor: 'editor', requestId: 'request-1' },
        {
          lane: { tenant, id: 'p', channel },
          upload: { form: 'yaml', bytes: Buffer.from(yaml) },
          guard: null,
          reason: null,
        },
      );
      indexes.push((await journalLength(this.deps, tenant)) - 1);
    }
    return indexes;
  }

  /** Hands on what was committed, as the relay does. */
  async relay(deps: CoreDeps & PushDeps = this.deps): Promise<void> {
    await relayAllJournals({ ...deps, eventsOf, wake: tellShards(deps) });
  }

  /** Does what is in the queue, as often as it takes. */
  async work(deps: PushDeps = this.deps): Promise<void> {
    for (let rounds = 0; rounds < 200; rounds++) {
      const taken = this.queue.take();
      if (taken.length === 0) return;
      this.queue.settle(taken, await doPushTasks(deps, taken));
    }
    throw new Error('The queue is never empty.');
  }

  async push(): Promise<void> {
    await this.relay();
    await this.work();
  }
}
