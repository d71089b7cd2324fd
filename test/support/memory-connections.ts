import { checkText } from '../../src/adapters/runtime/push-limits.ts';
import type { ConnectionPoster } from '../../src/ports/connection-poster.ts';

export interface MemoryConnections extends ConnectionPoster {
  /** Opens a connection, and answers its id. */
  readonly open: () => string;
  /** The client goes away. */
  readonly leave: (connection: string) => void;
  readonly isOpen: (connection: string) => boolean;
  /** All that its client was sent. */
  readonly heard: (connection: string) => readonly string[];
}

/** The in-memory fake of the ConnectionPoster, with the clients of its connections. */
export function memoryConnections(): MemoryConnections {
  const open = new Set<string>();
  const heard = new Map<string, string[]>();
  return {
    open() {
      const connection = `connection-${heard.size + 1}=`;
      open.add(connection);
      heard.set(connection, []);
      return connection;
    },
    leave: (connection) => void open.delete(connection),
    isOpen: (connection) => open.has(connection),
    heard: (connection) => heard.get(connection) ?? [],
    async post(connection, text) {
      checkText(text);
      if (!open.has(connection)) return 'gone';
      heard.get(connection)?.push(text);
      return 'sent';
    },
    async close(connection) {
      open.delete(connection);
    },
  };
}
