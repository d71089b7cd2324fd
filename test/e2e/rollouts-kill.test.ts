import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { openDiskBlobs } from '../../src/adapters/local/disk-blobs.ts';
import { openSqliteRecords } from '../../src/adapters/local/sqlite-records.ts';
import { systemClock } from '../../src/adapters/runtime/system-clock.ts';
import { assertConsistent } from '../support/consistency.ts';
import { freePort } from '../support/free-port.ts';
import { localService } from '../support/local-service.ts';
import { packageOf, ruleYaml, uniqueId } from '../support/policy-documents.ts';
import { RolloutCalls, type RunPage } from '../support/rollout-calls.ts';
import {
  type LocalServer,
  startLocalServer,
  temporaryFolder,
} from '../support/start-local-server.ts';
import { startWebhookReceiver } from '../support/start-webhook-receiver.ts';

const env = { HMS_ALLOW_PRIVATE_TARGETS: '1' };

/** When the server is killed in the life of a run, in turn: told by its page, or by time alone. */
const moments: readonly { readonly at: string; readonly when: (page: RunPage) => boolean }[] = [
  { at: 'as it begins', when: () => true },
  { at: 'while people are asked', when: ({ ticket }) => ticket !== null },
  { at: 'as its canary begins', when: ({ bucketing }) => bucketing !== null },
  { at: 'while it is judged', when: ({ verdict }) => verdict?.kind === 'observing' },
  { at: 'while partners are told', when: ({ status }) => status === 'notifying' },
];

describe('embedded: a rollout whose server is killed', () => {
  it('at every stage in turn, still ends as it should, and tells its partner once', async () => {
    const dataDir = temporaryFolder();
    const port = await freePort();
    const start = () => startLocalServer({ dataDir, port, env });
    let server: LocalServer = await start();
    const calls = await RolloutCalls.of(localService(server));
    await using partner = await startWebhookReceiver();
    const secret = `whsec_${randomBytes(32).toString('base64')}`;
    await calls.putPartner('state', { kind: 'webhook', url: partner.url, secret });
    const id = uniqueId('mortal');
    const old = await calls.publish(id, ruleYaml(id, { version: '1.0.0' }));
    const next = await calls.store(id, packageOf(ruleYaml(id, { version: '1.1.0' })));
    const run = await calls.create({
      policies: [{ id, snapshot: next }],
      canary: { percent: 100, observeSeconds: 3, minDecisions: 10 },
      partners: ['state'],
      approval: true,
    });
    // A partner that is down keeps the run in its last stage until it has been killed there, too.
    partner.answer = { status: 503 };
    let approved = false;
    for (const { at, when } of moments) {
      const page = await calls.until(run, when);
      // Killed between two attempts: one that was killed while it sent waits for its claim to lapse.
      if (page.status === 'notifying')
        await expect.poll(() => partner.calls.length).toBeGreaterThan(0);
      if (page.status === 'notifying') await delay(300);
      expect(page.endedAt, at).toBeNull();
      await server.kill();
      server = await start();
      if (page.ticket !== null && !approved) {
        await calls.decide(page.ticket, 'approve', 'approver', 200);
        approved = true;
      }
      if (page.bucketing !== null && page.status === 'canary') await calls.decisions(id, next, 20);
      const { snapshot } = await calls.rule(id);
      expect([old, next], at).toContain(snapshot);
    }
    partner.answer = { status: 204 };
    const done = await calls.until(run, ({ endedAt }) => endedAt !== null);
    expect(done.status).toBe('succeeded');
    expect((await calls.rule(id)).snapshot).toBe(next);
    const ids = new Set(partner.calls.map(({ headers }) => headers['webhook-id']));
    expect(ids.size).toBe(1);
    expect(await server.stop()).toBe(0);
    await expectConsistent(dataDir);
  }, 120_000);

  it('at any moment ends, on a rule that the journal explains', async () => {
    const dataDir = temporaryFolder();
    const port = await freePort();
    const start = () => startLocalServer({ dataDir, port, env });
    let server: LocalServer = await start();
    const calls = await RolloutCalls.of(localService(server));
    const id = uniqueId('mortal');
    await calls.publish(id, ruleYaml(id, { version: '1.0.0' }));
    for (let turn = 1; turn <= 6; turn++) {
      const next = await calls.store(id, packageOf(ruleYaml(id, { version: `1.0.${turn}` })));
      const run = await calls.create({
        policies: [{ id, snapshot: next }],
        canary: { percent: 50, observeSeconds: 1, allowSilent: true },
      });
      await delay(Math.random() * 400);
      await server.kill();
      server = await start();
      const done = await calls.until(run, ({ endedAt }) => endedAt !== null);
      expect(done.status).toBe('succeeded');
      expect((await calls.rule(id)).snapshot).toBe(next);
    }
    expect(await server.stop()).toBe(0);
    await expectConsistent(dataDir);
  }, 120_000);
});

async function expectConsistent(dataDir: string): Promise<void> {
  const file = join(dataDir, 'hms.sqlite');
  const records = await openSqliteRecords({ file, clock: systemClock });
  const blobs = await openDiskBlobs({ root: join(dataDir, 'blobs') });
  await assertConsistent(records, 'demo', { blobs });
  records.close();
}
