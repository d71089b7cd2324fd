import { Webhook } from 'standardwebhooks';
import { expect, it } from 'vitest';
import { webhookTransport } from '../../../src/adapters/runtime/webhook-transport.ts';
import { deliveredEvent } from '../../../src/contract/event-schemas.ts';
import { startWebhookReceiver } from '../../support/start-webhook-receiver.ts';
import { EventDesk, submitted } from './event-desk.ts';

it('a service verifies what it is sent, gets it again after a failure, and knows the repeat', async () => {
  await using receiver = await startWebhookReceiver();
  const partners = webhookTransport({ networks: { allowPrivate: true } });
  const desk = new EventDesk({ partners });
  await desk.subscribe('email', {
    url: `http://127.0.0.1:${receiver.port}/mail`,
    events: { publishes: [], subscribes: [{ type: submitted, path: '/vouchers' }] },
  });
  const secret = await desk.rotate('email');
  const { id } = await desk.publish({ data: { to: 'maya@example.org' } });
  await desk.relay();

  receiver.answer = { status: 503 };
  await until(desk, receiver.calls, 1);
  receiver.answer = { status: 204 };
  await desk.clock.advance(1000);
  await until(desk, receiver.calls, 2);

  const verifier = new Webhook(secret);
  for (const { method, url, headers, body } of receiver.calls) {
    expect([method, url, headers['webhook-id']]).toEqual(['POST', '/mail/vouchers', id]);
    // The receiver's clock is not that of the test.
    const timestamp = new Date(Number(headers['webhook-timestamp']) * 1000);
    expect(headers['webhook-signature']).toBe(verifier.sign(id, timestamp, body));
    const event: unknown = JSON.parse(body);
    expect(deliveredEvent.parse(event)).toEqual(event);
    expect(event).toMatchObject({ id, type: submitted, data: { to: 'maya@example.org' } });
  }
  expect(await desk.delivery()).toMatchObject({ status: 'completed', attempts: 2 });
});

/** Works on the delivery while real time passes, and not the desk's. */
async function until(desk: EventDesk, calls: readonly unknown[], count: number): Promise<void> {
  const [turn] = await desk.turns('event.deliver', 1);
  if (turn === undefined) throw new Error('no delivery has its turn');
  await desk.workOn(turn);
  expect(calls).toHaveLength(count);
}
