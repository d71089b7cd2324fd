import { describe, expect, it } from 'vitest';
import { issueTicket, redeemTicket } from '../../../src/core/push/tickets.ts';
import { coreDeps } from '../../support/core-deps.ts';
import { faultyRecords } from '../../support/faulty-records.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { memoryRecords } from '../../support/memory-records.ts';
import { principalOf } from './push-desk.ts';

describe('a ticket', () => {
  it('stands for all that the token stands for, once', async () => {
    const deps = coreDeps();
    const principal = principalOf(deps, { region: 'NCR', subject: 'ravi' });
    const { ticket, expiresAtMs } = await issueTicket(deps, principal);
    expect(ticket).toMatch(/^[\w-]{43}$/);
    expect(expiresAtMs).toBe(deps.clock.nowMs() + 30_000);
    expect(await redeemTicket(deps, ticket)).toEqual(principal);
    expect(await redeemTicket(deps, ticket)).toBeNull();
  });

  it('is never the same', async () => {
    const deps = coreDeps();
    const tickets = await Promise.all(
      Array.from({ length: 50 }, () => issueTicket(deps, principalOf(deps))),
    );
    expect(new Set(tickets.map(({ ticket }) => ticket)).size).toBe(50);
  });

  it('is good for 30 seconds, and not a moment longer', async () => {
    const deps = coreDeps();
    const [early, late] = [
      await issueTicket(deps, principalOf(deps)),
      await issueTicket(deps, principalOf(deps)),
    ];
    deps.clock.set(deps.clock.nowMs() + 29_999);
    expect(await redeemTicket(deps, early.ticket)).not.toBeNull();
    deps.clock.set(deps.clock.nowMs() + 1);
    expect(await redeemTicket(deps, late.ticket)).toBeNull();
  });

  it('is no longer good than its token', async () => {
    const deps = coreDeps();
    const expiresAtMs = deps.clock.nowMs() + 10_000;
    const { ticket } = await issueTicket(deps, principalOf(deps, { expiresAtMs }));
    deps.clock.set(expiresAtMs);
    expect(await redeemTicket(deps, ticket)).toBeNull();
  });

  it('is one for one of those who come at the same time', async () => {
    const deps = coreDeps();
    for (let round = 0; round < 20; round++) {
      const { ticket } = await issueTicket(deps, principalOf(deps));
      const came = await Promise.all([1, 2, 3].map(() => redeemTicket(deps, ticket)));
      expect(came.filter((principal) => principal !== null)).toHaveLength(1);
    }
  });

  it.each(['', 'x', '#push-tickets', 'A'.repeat(43), `${'A'.repeat(42)}=`, 'A'.repeat(10_000)])(
    'that was never issued is none: %.50s',
    async (ticket) => {
      expect(await redeemTicket(coreDeps(), ticket)).toBeNull();
    },
  );

  it('is stored as a digest alone, and expires by itself', async () => {
    const clock = new ManualClock();
    const inner = memoryRecords(clock);
    const commits: unknown[] = [];
    const records = faultyRecords(inner, ({ method, args }) => {
      if (method === 'commit') commits.push(args[0]);
      return undefined;
    });
    const deps = coreDeps({ clock, records });
    const { ticket } = await issueTicket(deps, principalOf(deps));
    expect(JSON.stringify(commits)).not.toContain(ticket);
    expect(commits).toMatchObject([[{ kind: 'put', expiresAtMs: clock.nowMs() + 30_000 }]]);
  });

  it('is used up by who was not answered', async () => {
    const deps = coreDeps();
    const { ticket } = await issueTicket(deps, principalOf(deps));
    const records = faultyRecords(deps.records, { commit: ['written-but-failed'] });
    await expect(redeemTicket({ ...deps, records }, ticket)).rejects.toThrow('injected');
    expect(await redeemTicket(deps, ticket)).toBeNull();
  });
});
