import type { Api } from '../api/api.ts';
import { HmsError } from '../api/errors.ts';
import { openEvents } from '../api/event-connection.ts';
import type { PushSource } from './push-source.ts';

/** The service says something every 15 s. */
const silenceMs = 40_000;

/** The changes of a channel as Server-Sent Events. A connection without a byte for 40 s is given up. */
export function ssePush(api: Pick<Api, 'open'>, channel: string): PushSource {
  return async (position, sink, signal) => {
    const options = { path: '/api/stream/policies', query: { channel }, silenceMs, signal };
    const connection = await openEvents(api, options, position);
    if (connection === undefined) throw new HmsError('The service has no changes to tell.');
    const place = { id: position, retryMs: 0 };
    let isOpen = false;
    try {
      for await (const messages of connection.read(place)) {
        if (place.id !== undefined) sink.moved(place.id);
        if (!isOpen) sink.opened();
        isOpen = true;
        for (const { data } of messages) sink.changed(data);
      }
    } finally {
      connection.close();
    }
  };
}
