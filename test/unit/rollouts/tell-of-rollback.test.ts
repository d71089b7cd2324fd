import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { JournalEntry } from '../../../src/core/journal/journal-entry.ts';
import { entriesAfter } from '../../../src/core/journal/read-journal.ts';
import { deliverDue } from '../../../src/core/partners/deliver-due.ts';
import { listDeliveries, redeliver } from '../../../src/core/partners/deliveries.ts';
import { putPartner } from '../../../src/core/partners/partners.ts';
import { rollbackPolicy } from '../../../src/core/policies/rollback-policy.ts';
import { tellOfRollback } from '../../../src/core/rollouts/tell-of-rollback.ts';
import { RolloutDesk } from '../../support/rollout-desk.ts';

let desk: RolloutDesk;
beforeEach(async () => {
  desk = new RolloutDesk();
  for (const name of ['up', 'down']) {
    await putPartner(desk.deps, desk.origin(), name, {
      target: { kind: 'webhook', url: `https://${name}.example/` },
      secret: `whsec_${Buffer.alloc(32, 7).toString('base64')}`,
    });
  }
  desk.answer = (to) =>
    to.includes('down')
      ? { outcome: 'failed', detail: 'no answer' }
      : { outcome: 'delivered', detail: '200' };
});
afterEach(() => desk.close());

/** Releases new rules of these policies, and tells `up` of it. */
async function release(...ids: readonly string[]): Promise<number> {
  for (const id of ids) await desk.inForce(id, { version: '1.0.0' });
  const policies = [];
  for (const id of ids) policies.push({ id, snapshot: await desk.store(id, { version: '1.0.1' }) });
  const { run } = await desk.create(policies, { canary: null, partners: ['up', 'down'] });
  await desk.until(run, () => desk.sent.length >= 2);
  return run;
}

async function rollBack(id: string): Promise<JournalEntry> {
  const lane = { tenant: desk.tenant, id, channel: 'prod' } as const;
  const call = { lane, snapshot: null, guard: null, reason: 'smoke' };
  const { index } = await rollbackPolicy(desk.deps, desk.origin(), call);
  const [entry] = await entriesAfter(desk.deps, desk.tenant, (index ?? 0) - 1, 1);
  if (entry === undefined) throw new Error('The rollback is not in the journal.');
  return entry;
}

const restores = () =>
  desk.sent
    .filter(({ notice }) => notice.type === 'policy.restored')
    .map(({ to, notice }) => {
      const { data } = JSON.parse(notice.body) as { data: { policies: { id: string }[] } };
      return `${to} ${data.policies.map(({ id }) => id).join()}`;
    });

describe('a rollback of what a run released', () => {
  it('is told to whom the release was told, once, and to nobody else', async () => {
    const run = await release('a');
    const entry = await rollBack('a');
    await tellOfRollback(desk.deps, desk.tenant, entry);
    await tellOfRollback(desk.deps, desk.tenant, entry);
    await deliverDue(desk.deps);
    expect(restores()).toEqual(['https://up.example/ a']);
    const found = await listDeliveries(desk.deps, desk.tenant, run);
    expect(found.map(({ partner, kind, status }) => `${partner} ${kind} ${status}`)).toEqual([
      'up released delivered',
      'down released collapsed',
      'up restored delivered',
    ]);
  });

  it('of several policies, one after the other, is told each time', async () => {
    const run = await release('a', 'b');
    for (const id of ['a', 'b']) {
      await tellOfRollback(desk.deps, desk.tenant, await rollBack(id));
      await deliverDue(desk.deps);
    }
    expect(restores().filter((told) => told.includes('up'))).toEqual([
      'https://up.example/ a',
      'https://up.example/ b',
    ]);
    const found = await listDeliveries(desk.deps, desk.tenant, run);
    expect(new Set(found.map(({ id }) => id)).size).toBe(6);
    const last = found.findLast(({ partner }) => partner === 'up');
    const again = await redeliver(desk.deps, desk.origin(), last?.id ?? '');
    expect(again).toMatchObject({ id: last?.id, kind: 'restored', status: 'pending' });
  });

  it('tells nobody of a rule that no run released, or of a candidate that was tried', async () => {
    await desk.inForce('a', { version: '1.0.0' });
    await desk.inForce('a', { version: '1.0.1' });
    await tellOfRollback(desk.deps, desk.tenant, await rollBack('a'));
    const candidate = await desk.store('a', { version: '1.0.2' });
    const { run } = await desk.create([{ id: 'a', snapshot: candidate }], { partners: ['up'] });
    await desk.until(run, ({ progress }) => progress !== null);
    await tellOfRollback(desk.deps, desk.tenant, await rollBack('a'));
    await deliverDue(desk.deps);
    expect(desk.sent).toEqual([]);
  });
});
