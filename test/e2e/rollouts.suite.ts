import { createHash, randomBytes } from 'node:crypto';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { Webhook } from 'standardwebhooks';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RolloutCalls } from '../support/rollout-calls.ts';
import type { StartService } from '../support/service.ts';
import { packageOf, ruleYaml, uniqueId } from '../support/policy-documents.ts';
import {
  sftpFolder,
  sftpPassword,
  sftpUser,
  startSftpServer,
} from '../support/start-sftp-server.ts';
import { startWebhookReceiver } from '../support/start-webhook-receiver.ts';

const example = join(import.meta.dirname, '../../examples/epa-pm25');

/** The rollout of chapter 2 of the mission, over HTTP. */
export function describeRollouts(name: string, start: StartService): void {
  describe(`rollouts, ${name}`, () => {
    let calls: RolloutCalls;
    beforeAll(async () => {
      calls = await RolloutCalls.of(await start());
    });
    afterAll(() => calls.service.close());

    it('tells the story of the EPA: 35 to 25, tried in one region, then everywhere, partners told', async () => {
      const id = uniqueId('epa-pm25');
      const mail = `${id}@state.example`;
      await using one = await startWebhookReceiver();
      await using two = await startWebhookReceiver();
      await using files = await startSftpServer();
      const secret = `whsec_${randomBytes(32).toString('base64')}`;
      const partners = ['one', 'two', 'mail', 'files'].map((each) => `${id}-${each}`);
      const [first, second, third, fourth] = partners;
      await calls.putPartner(first, { kind: 'webhook', url: one.url, secret });
      await calls.putPartner(second, { kind: 'webhook', url: two.url, secret });
      await calls.putPartner(third, { kind: 'email', to: [mail] });
      await calls.putPartner(fourth, {
        kind: 'sftp',
        host: '127.0.0.1',
        port: files.port,
        username: sftpUser,
        hostKey: files.hostKey,
        folder: sftpFolder,
        password: sftpPassword,
      });
      const old = await calls.publish(id, renamed(read('policy-1.5.0.yaml'), id));
      const next = await calls.store(id, packaged(id));
      const run = await calls.create({
        policies: [{ id, snapshot: next }],
        channel: 'prod',
        canary: { percent: 5, scope: 'region:NCR', observeSeconds: 4, minDecisions: 20 },
        partners,
        reason: 'EPA-HQ-OAR-2015-0072',
      });
      const tried = await calls.until(run, ({ bucketing }) => bucketing !== null);
      expect(tried.status).toBe('canary');
      await calls.decisions(id, next, 60);
      await calls.alert(id, next, 'calibration');
      const done = await calls.until(run, ({ endedAt }) => endedAt !== null);
      expect(done).toMatchObject({
        run,
        status: 'succeeded',
        policies: [{ id, snapshot: next, version: '2.0.0', replaces: { snapshot: old } }],
        verdict: { kind: 'pass', method: 'time' },
        simulation: { scenarios: 125, replayed: 125, adapted: 123, share: 0.984 },
      });
      expect(done.stages.map((stage) => [stage.name, stage.status])).toEqual([
        ['lint', 'passed'],
        ['simulate', 'passed'],
        ['canary', 'passed'],
        ['rollout', 'passed'],
        ['notify', 'passed'],
      ]);
      expect(done.stages.map(({ detail }) => detail)).toEqual(
        expect.arrayContaining([expect.stringContaining('98.4%'), '4 sent']),
      );
      const times = done.stages.flatMap(({ startedAt, endedAt }) => [startedAt, endedAt]);
      expect(times.every((time) => time !== null)).toBe(true);
      const ordered = times.map((time) => Date.parse(time ?? ''));
      expect(ordered).toEqual(ordered.toSorted((a, b) => a - b));
      await calls.settled(async () => expect((await calls.rule(id)).snapshot).toBe(next));
      for (const receiver of [one, two]) {
        const [call, ...rest] = receiver.calls;
        expect(rest).toEqual([]);
        const headers = call?.headers as Record<string, string>;
        expect(new Webhook(secret).verify(call?.body ?? '', headers)).toMatchObject({
          specversion: '1.0',
          type: 'policy.released',
        });
      }
      expect(files.files.size).toBe(2);
      for (const [path, text] of files.files) {
        if (path.endsWith('.sha256')) continue;
        const sum = createHash('sha256').update(text).digest('hex');
        expect(files.files.get(`${path}.sha256`)).toContain(sum);
      }
      if (calls.service.mailsTo !== undefined) {
        expect(await calls.service.mailsTo(mail)).toHaveLength(1);
      }
      const report = await calls.get(String(done.simulation?.report));
      expect(report).toContain('98.4');
      expect(report).toContain('bot-124');
    });

    it('fails on the second new alert, within a tick: old rule, open ticket, no partner told', async () => {
      await using partner = await startWebhookReceiver();
      const id = uniqueId('smoke');
      const secret = `whsec_${randomBytes(32).toString('base64')}`;
      await calls.putPartner(id, { kind: 'webhook', url: partner.url, secret });
      const old = await calls.publish(id, ruleYaml(id, { version: '1.0.0', limit: 35 }));
      const next = await calls.store(id, packageOf(ruleYaml(id, { version: '2.0.0', limit: 25 })));
      const run = await calls.create({
        policies: [{ id, snapshot: next }],
        canary: { percent: 100, observeSeconds: 120 },
        partners: [id],
      });
      await calls.until(run, ({ bucketing }) => bucketing !== null);
      await calls.settled(async () => expect((await calls.rule(id)).snapshot).toBe(next));
      await calls.alert(id, next, 'smoke');
      await new Promise((resolve) => setTimeout(resolve, 3500));
      expect((await calls.run(run)).status).toBe('canary');
      await calls.alert(id, next, 'fire');
      const failed = await calls.until(run, ({ endedAt }) => endedAt !== null);
      expect(failed).toMatchObject({
        status: 'failed',
        verdict: { kind: 'fail', method: 'alerts' },
      });
      await calls.settled(async () => expect((await calls.rule(id)).snapshot).toBe(old));
      const ticket = await calls.ticket(String(failed.ticket));
      expect(ticket).toMatchObject({ run, kind: 'review', status: 'open' });
      expect(partner.calls).toEqual([]);
    });

    it('asks people where the run wants it: the author cannot, another can', async () => {
      const id = uniqueId('approved');
      const next = await calls.store(id, packageOf(ruleYaml(id, { limit: 1 })));
      const asks = { policies: [{ id, snapshot: next }], canary: null, approval: true };
      const run = await calls.create(asks, 'admin');
      const asked = await calls.until(run, ({ ticket }) => ticket !== null);
      expect(asked.status).toBe('approving');
      const ticket = String(asked.ticket);
      await calls.decide(ticket, 'approve', 'admin', 403);
      await calls.decide(ticket, 'approve', 'approver', 200);
      const done = await calls.until(run, ({ endedAt }) => endedAt !== null);
      expect(done.status).toBe('succeeded');
      await calls.settled(async () => expect((await calls.rule(id)).snapshot).toBe(next));
    });

    it('queues what is published while a canary runs, and starts it when that one is aborted', async () => {
      const id = uniqueId('queued');
      const old = await calls.publish(id, ruleYaml(id, { version: '1.0.0' }));
      const next = await calls.store(id, packageOf(ruleYaml(id, { version: '1.0.1' })));
      const run = await calls.create({
        policies: [{ id, snapshot: next }],
        canary: { percent: 100, observeSeconds: 120 },
      });
      await calls.until(run, ({ bucketing }) => bucketing !== null);
      const later = await calls.publishStaged(id, ruleYaml(id, { version: '1.0.2' }));
      expect(later).toMatchObject({ status: 'queued', waitsFor: run });
      const answers = await Promise.all(Array.from({ length: 20 }, () => calls.abort(run)));
      expect(new Set(answers.map(({ status }) => status))).toEqual(new Set(['aborted']));
      expect(new Set(answers.map(({ endedAt }) => endedAt)).size).toBe(1);
      const done = await calls.until(later.run, ({ endedAt }) => endedAt !== null);
      expect(done.status).toBe('succeeded');
      expect(done.policies[0]?.replaces?.snapshot).toBe(old);
      await calls.settled(async () => expect((await calls.rule(id)).snapshot).toBe(later.snapshot));
    });

    it('gives the candidate to exactly the subjects of the published formula', async () => {
      const id = uniqueId('buckets');
      const old = await calls.publish(id, ruleYaml(id, { version: '1.0.0' }));
      const next = await calls.store(id, packageOf(ruleYaml(id, { version: '1.0.1' })));
      const run = await calls.create({
        policies: [{ id, snapshot: next }],
        canary: { percent: 5, observeSeconds: 600 },
      });
      const { bucketing } = await calls.until(run, (page) => page.bucketing !== null);
      const { salt = '', weight = 0 } = bucketing ?? {};
      const count = calls.service.streams === 'live' ? 10_000 : 200;
      const subjects = Array.from({ length: count }, (_, n) => `inspection-bot-${n}`);
      await calls.settled(async () => {
        const wrong = await calls.countWrong(id, subjects, (subject) => {
          const digest = createHash('sha256').update(`${salt}\u001f${subject}`).digest();
          return digest.readBigUInt64BE(0) % 10_000n < BigInt(weight) ? next : old;
        });
        expect(wrong).toBe(0);
      });
      expect(weight).toBe(500);
      await calls.abort(run);
    });

    it('switches a bundle of 20 policies between two manifests, never within one', async () => {
      const prefix = uniqueId('bundle');
      const ids = Array.from({ length: 20 }, (_, n) => `${prefix}-${n}`);
      const policies = await Promise.all(
        ids.map(async (id) => {
          await calls.publish(id, ruleYaml(id, { version: '1.0.0' }));
          const next = packageOf(ruleYaml(id, { version: '1.0.1' }));
          return { id, snapshot: await calls.store(id, next) };
        }),
      );
      const run = await calls.create({ policies, canary: null });
      const seen = new Set<string>();
      for (let open = true; open;) {
        open = (await calls.run(run)).endedAt === null;
        const versions = await calls.versions(ids);
        expect(versions).toHaveLength(1);
        for (const version of versions) seen.add(version);
      }
      await calls.settled(async () => expect(await calls.versions(ids)).toEqual(['1.0.1']));
      expect((await calls.run(run)).status).toBe('succeeded');
      expect(seen.size).toBeGreaterThan(0);
    });
  });
}

function read(path: string): string {
  return readFileSync(join(example, path), 'utf8');
}

function renamed(yaml: string, id: string): string {
  return yaml.replace(/^id: .*$/m, `id: ${id}`);
}

/** The package of the example, under an id of its own. */
function packaged(id: string): Uint8Array<ArrayBuffer> {
  const scenarios = readdirSync(join(example, '2.0.0/scenarios'));
  return packageOf(renamed(read('2.0.0/policy.yaml'), id), {
    'schema.json': read('2.0.0/schema.json'),
    ...Object.fromEntries(
      scenarios.map((file) => [`scenarios/${file}`, read(`2.0.0/scenarios/${file}`)]),
    ),
  });
}
