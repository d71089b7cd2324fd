import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { PartnerTarget } from '../../src/core/partners/partner.ts';
import type { Attempt, Notice, PartnerTransport } from '../../src/ports/partner-transport.ts';
import { expectDefect } from '../support/expect-defect.ts';

export interface PartnerTransportFixture {
  readonly transport: PartnerTransport;
  readonly target: PartnerTarget;
  readonly secret: string | undefined;
  /** The bodies that the partner has by now, by the id that it tells repeats by. */
  readonly received: () => Promise<ReadonlyMap<string, string>>;
  /** From now on the partner cannot be reached. */
  readonly goDown: () => PromiseLike<void>;
  readonly close: () => PromiseLike<void>;
}

/** A notice as the core makes them, new unless `change` says otherwise. */
export function someNotice(change: Partial<Notice> = {}): Notice {
  const id = `184_released_acme_${randomUUID()}`;
  return {
    id,
    timestampS: Math.floor(Date.now() / 1000),
    type: 'policy.released',
    title: 'epa-pm25-limit@2.0.0 is released to prod',
    text: 'epa-pm25-limit@2.0.0 is released to prod.\n\nRun 184.\n',
    body: JSON.stringify({ specversion: '1.0', id, type: 'policy.released', data: { run: 184 } }),
    ...change,
  };
}

/** What the port says of every detail. */
export function expectDetail({ detail }: Attempt, secret: string | undefined): void {
  expect(detail).toMatch(/^\P{Cc}{1,300}$/u);
  if (secret !== undefined) expect(detail).not.toContain(secret);
}

/** What every PartnerTransport must do. */
export function describePartnerTransport(
  name: string,
  make: () => Promise<PartnerTransportFixture>,
): void {
  describe(`PartnerTransport: ${name}`, () => {
    let fixture: PartnerTransportFixture;
    beforeEach(async () => {
      fixture = await make();
    });
    afterEach(async () => await fixture.close());
    const send = async (notice: Notice): Promise<Attempt> => {
      const attempt = await fixture.transport.send(fixture.target, fixture.secret, notice);
      expectDetail(attempt, fixture.secret);
      return attempt;
    };

    it('hands a notice over as it is', async () => {
      const notice = someNotice();
      expect(await send(notice)).toMatchObject({ outcome: 'delivered' });
      expect(await fixture.received()).toEqual(new Map([[notice.id, notice.body]]));
    });

    it('keeps any JSON as it is, up to 200 KiB', async () => {
      const odd = someNotice({ body: JSON.stringify({ text: 'ä😀\u0000\u2028"\\\r\n.\r\n' }) });
      const large = someNotice({ body: JSON.stringify('é'.repeat(102_000)) });
      expect((await send(odd)).outcome).toBe('delivered');
      expect((await send(large)).outcome).toBe('delivered');
      const received = await fixture.received();
      expect(received.get(odd.id)).toBe(odd.body);
      expect(received.get(large.id)).toBe(large.body);
    });

    it('can hand over the same again, and the partner can tell', async () => {
      const notice = someNotice();
      expect((await send(notice)).outcome).toBe('delivered');
      expect((await send({ ...notice, timestampS: notice.timestampS + 5 })).outcome).toBe(
        'delivered',
      );
      expect([...(await fixture.received()).keys()]).toEqual([notice.id]);
    });

    it('hands over several at once', async () => {
      const notices = Array.from({ length: 5 }, () => someNotice());
      const attempts = await Promise.all(notices.map(send));
      expect(attempts.map(({ outcome }) => outcome)).toEqual(Array(5).fill('delivered'));
      expect((await fixture.received()).size).toBe(5);
    });

    it('takes line breaks in a title for text', async () => {
      const notice = someNotice({ title: 'a\r\nBcc: eve@example.org\r\n\r\nX: y\u2028\u0000' });
      expect((await send(notice)).outcome).toBe('delivered');
      expect(await fixture.received()).toEqual(new Map([[notice.id, notice.body]]));
    });

    it('says so when the partner cannot be reached, and does not throw', async () => {
      await fixture.goDown();
      expect((await send(someNotice())).outcome).toBe('failed');
    });

    it('refuses a target of another kind', async () => {
      const email: PartnerTarget = { kind: 'email', to: ['a@example.org'] };
      const webhook: PartnerTarget = { kind: 'webhook', url: 'https://example.org/' };
      const other = fixture.target.kind === 'email' ? webhook : email;
      await expectDefect(() => fixture.transport.send(other, fixture.secret, someNotice()));
    });
  });
}
