import { beforeEach, describe, expect, it } from 'vitest';
import { policyEvent } from '../../../src/contract/policy-events.ts';
import { addAttachment } from '../../../src/core/attachments/attachments.ts';
import { relayJournal } from '../../../src/core/journal/relay-journal.ts';
import { activateDue } from '../../../src/core/policies/activate-due.ts';
import { policyChangesOf, policyEventsOf } from '../../../src/core/policies/policy-events.ts';
import { type CoreDeps, coreDeps } from '../../support/core-deps.ts';
import { journal } from '../journal/notes.ts';
import { TenantCalls } from './tenant-calls.ts';

describe('policyEventsOf', () => {
  let deps: CoreDeps;
  let demo: TenantCalls;
  beforeEach(() => {
    deps = coreDeps();
    demo = new TenantCalls(deps);
  });
  const relay = () => relayJournal({ ...deps, eventsOf: policyEventsOf }, 'demo');

  it('tells of a change as documented', async () => {
    const first = await demo.publish('prod', { version: '1.0.0' });
    const second = await demo.publish('prod', { version: '2.0.0' }, { reason: 'less smog' });
    await relay();
    expect(deps.bus.events[1]).toEqual({
      specversion: '1.0',
      id: 'demo/1/policy.updated',
      source: 'hms.policies',
      type: 'policy.updated',
      subject: 'p',
      time: '2026-01-01T00:00:00.000Z',
      datacontenttype: 'application/json',
      data: {
        tenant: 'demo',
        id: 'p',
        channel: 'prod',
        snapshot: second.snapshot,
        version: '2.0.0',
        gen: 2,
        action: 'policy.published',
        reason: 'less smog',
        before: first.snapshot,
        effectiveAt: null,
        actor: 'ann',
        index: 1,
        at: '2026-01-01T00:00:00.000Z',
      },
    });
  });

  it('keeps to the schema, and names what was done, for every kind of change', async () => {
    const effective = '2026-01-02T00:00:00Z';
    await demo.publish('test', { version: '1.0.0' });
    await demo.promote('test', 'prod');
    await demo.publish('prod', { version: '2.0.0' });
    await demo.rollback('prod', null, { reason: 'smoke' });
    await demo.publish('prod', { version: '3.0.0', effective });
    deps.clock.set(Date.parse(effective));
    await activateDue(deps);
    await demo.rollback('prod');
    await relay();
    for (const event of deps.bus.events) expect(policyEvent.parse(event)).toEqual(event);
    const told = deps.bus.events.map(({ type, data }) => {
      const { version, reason, effectiveAt } = policyEvent.shape.data.parse(data);
      return [type, version, reason, effectiveAt];
    });
    expect(told).toEqual([
      ['policy.updated', '1.0.0', 'publish', null],
      ['policy.updated', '1.0.0', 'promote', null],
      ['policy.updated', '2.0.0', 'publish', null],
      ['policy.updated', '1.0.0', 'smoke', null],
      ['policy.rolledback', '1.0.0', 'smoke', null],
      ['policy.updated', '3.0.0', 'publish', '2026-01-02T00:00:00.000Z'],
      ['policy.updated', '3.0.0', 'effective', null],
      ['policy.updated', '1.0.0', 'rollback', null],
      ['policy.rolledback', '1.0.0', 'rollback', null],
    ]);
    const names = deps.bus.events.map(({ id }) => id);
    expect(new Set(names).size).toBe(names.length);
  });

  it('gives the same events for the same entry, each time', async () => {
    await demo.publish('prod', { version: '1.0.0' });
    const [entry] = await journal(deps.records);
    expect(policyEventsOf('demo', entry!)).toEqual(policyEventsOf('demo', entry!));
    expect(policyEventsOf('other', entry!)).toMatchObject([
      { id: 'other/0/policy.updated', data: { tenant: 'other' } },
    ]);
  });

  it('tells of nothing else: no snapshot stored, no attachment, nothing it does not know', async () => {
    await demo.store({ version: '1.0.0' });
    const document = { name: 'a', contentType: 'text/plain', bytes: new Uint8Array([1]) };
    await addAttachment(deps, demo.origin(), 'p', { ...document, reason: null });
    expect(await relay()).toBe(2);
    expect(deps.bus.events).toEqual([]);
    const [entry] = await journal(deps.records);
    for (const action of ['toString', 'policy.deleted', 'run.started', 'constructor']) {
      expect(policyChangesOf('demo', { ...entry!, action })).toEqual([]);
      expect(policyEventsOf('demo', { ...entry!, action })).toEqual([]);
    }
  });

  it('keeps the order per policy and channel: gen by gen', async () => {
    for (let i = 1; i <= 60; i++) {
      await demo.publish(i % 3 === 0 ? 'test' : 'prod', { version: `${i}.0.0` });
      if (i % 7 === 0) await demo.rollback('prod');
    }
    await relay();
    const gens: Record<string, number> = {};
    for (const { type, data } of deps.bus.events) {
      const { channel, gen } = policyEvent.shape.data.parse(data);
      if (type === 'policy.updated') expect(gen).toBe((gens[channel] ?? 0) + 1);
      else expect(gen).toBe(gens[channel]);
      gens[channel] = gen;
    }
    expect(gens).toEqual({ test: 20, prod: 48 });
  });
});
