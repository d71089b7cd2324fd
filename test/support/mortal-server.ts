import { freePort } from './free-port.ts';
import { type LocalServer, startLocalServer, temporaryFolder } from './start-local-server.ts';

/**
 * A server on one folder that is killed and started again, always at the same address: tokens
 * are of that address.
 */
export class MortalServer {
  readonly #dataDir = temporaryFolder();
  readonly #relayed = new Set<string>();
  #port = 0;
  #server: LocalServer | undefined;

  get dataDir(): string {
    return this.#dataDir;
  }

  /** The ids of all events that any of its lives has relayed. */
  get relayed(): ReadonlySet<string> {
    this.#collect();
    return this.#relayed;
  }

  async start(): Promise<LocalServer> {
    this.#port ||= await freePort();
    this.#server = await startLocalServer({ dataDir: this.#dataDir, port: this.#port });
    return this.#server;
  }

  async kill(): Promise<void> {
    await this.#server?.kill();
    this.#collect();
  }

  async stop(): Promise<number | string | undefined> {
    const code = await this.#server?.stop();
    this.#collect();
    return code;
  }

  #collect(): void {
    for (const { msg, events } of this.#server?.log() ?? []) {
      if (msg !== 'events relayed') continue;
      for (const event of events as string[]) this.#relayed.add(event);
    }
  }
}
