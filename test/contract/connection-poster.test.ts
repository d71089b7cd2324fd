import { faultyPoster } from '../support/faulty-push.ts';
import { memoryConnections } from '../support/memory-connections.ts';
import {
  type ConnectionPosterFixture,
  describeConnectionPoster,
} from './connection-poster.suite.ts';

const make = async (): Promise<ConnectionPosterFixture> => {
  const connections = memoryConnections();
  return {
    poster: connections,
    async open() {
      const id = connections.open();
      return {
        id,
        heard: async () => connections.heard(id),
        isClosed: async () => !connections.isOpen(id),
        leave: async () => connections.leave(id),
      };
    },
  };
};

describeConnectionPoster('memoryConnections', make);

describeConnectionPoster('faultyPoster without faults', async () => {
  const fixture = await make();
  return { ...fixture, poster: faultyPoster(fixture.poster, {}) };
});
