import { afterEach } from 'vitest';
import type { ClientEvent } from '../../sdk/src/policies/client-events.ts';
import type { ClientOptions } from '../../sdk/src/policies/client-options.ts';
import { openClient } from '../../sdk/src/policies/create-client.ts';
import type { PolicyClient } from '../../sdk/src/policies/policy-client.ts';
import type { OpenCopy } from '../../sdk/src/policies/rule-copy.ts';
import type { FakePolicies } from './fake-policies.ts';

export interface TestClient extends PolicyClient {
  /** All that it has said, in order. */
  readonly events: readonly ClientEvent[];
  /** The events of one type. */
  readonly said: <T extends ClientEvent['type']>(type: T) => Extract<ClientEvent, { type: T }>[];
}

const open = new Set<PolicyClient>();
afterEach(async () => {
  await Promise.all([...open].map(async (client) => client.close()));
  open.clear();
});

/** A client of a fake service, without push or receipts unless asked for; closed after the test. */
export function testClient(
  service: Pick<FakePolicies, 'baseUrl' | 'fetch'>,
  options: Partial<ClientOptions> = {},
  openCopy?: OpenCopy,
): TestClient {
  const events: ClientEvent[] = [];
  const { baseUrl, fetch } = service;
  const client = openClient(
    {
      baseUrl,
      fetch,
      auth: () => 'a-token',
      push: 'none',
      receipts: false,
      onEvent: (event) => events.push(event),
      ...options,
    },
    openCopy,
  );
  open.add(client);
  return Object.assign(client, {
    events,
    said: <T extends ClientEvent['type']>(type: T) =>
      events.filter((event): event is Extract<ClientEvent, { type: T }> => event.type === type),
  });
}
