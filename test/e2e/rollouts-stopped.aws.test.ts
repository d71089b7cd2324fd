import { randomBytes } from 'node:crypto';
import { SFNClient, StopExecutionCommand } from '@aws-sdk/client-sfn';
import { afterAll, beforeAll, describe, it } from 'vitest';
import { deployedOutput, deployedService } from '../support/deployed-service.ts';
import { packageOf, ruleYaml, uniqueId } from '../support/policy-documents.ts';
import { RolloutCalls, type RunPage } from '../support/rollout-calls.ts';
import { startWebhookReceiver } from '../support/start-webhook-receiver.ts';

/**
 * Somebody stops the execution in the Step Functions console. The reconciler runs every minute,
 * and leaves a run in peace for 15 s after its last step.
 */
describe('deployed: a rollout whose execution is stopped', () => {
  const sfn = new SFNClient({});
  let calls: RolloutCalls;
  let stateMachineArn: string;
  beforeAll(async () => {
    calls = await RolloutCalls.of(await deployedService());
    stateMachineArn = await deployedOutput('StateMachineArn');
  });
  afterAll(() => sfn.destroy());

  async function stop(run: number): Promise<void> {
    const machine = stateMachineArn.replace(':stateMachine:', ':execution:');
    const executionArn = `${machine}:demo-run-${run}`;
    await sfn.send(new StopExecutionCommand({ executionArn }));
  }

  it.concurrent(
    'is closed at whatever stage, on the old rule, with a ticket',
    { timeout: 240_000 },
    async ({ expect }) => {
      const stages: Readonly<Record<string, (page: RunPage) => boolean>> = {
        approve: ({ ticket }) => ticket !== null,
        canary: ({ bucketing }) => bucketing !== null,
      };
      const stopped = await Promise.all(
        Object.entries(stages).map(async ([stage, reached]) => {
          const id = uniqueId(`stopped-${stage}`);
          const old = await calls.publish(id, ruleYaml(id, { version: '1.0.0' }));
          const next = packageOf(ruleYaml(id, { version: '1.0.1' }));
          const run = await calls.create({
            policies: [{ id, snapshot: await calls.store(id, next) }],
            canary: { percent: 100, observeSeconds: 3600 },
            approval: stage === 'approve',
          });
          await calls.until(run, reached);
          await stop(run);
          return { id, old, run };
        }),
      );
      for (const { id, old, run } of stopped) {
        const page = await calls.until(run, ({ endedAt }) => endedAt !== null);
        expect(page).toMatchObject({
          status: 'failed',
          outcome: expect.stringContaining('stopped'),
        });
        expect(await calls.ticket(String(page.ticket))).toMatchObject({
          run,
          kind: 'review',
          choices: ['close'],
        });
        await calls.settled(async () => expect((await calls.rule(id)).snapshot).toBe(old));
      }
    },
  );

  it.concurrent(
    'while partners are told keeps the release, and they are told all the same, once',
    { timeout: 240_000 },
    async ({ expect }) => {
      await using partner = await startWebhookReceiver();
      partner.answer = { status: 503 };
      const id = uniqueId('stopped-notify');
      const secret = `whsec_${randomBytes(32).toString('base64')}`;
      await calls.putPartner(id, { kind: 'webhook', url: partner.url, secret });
      const next = await calls.store(id, packageOf(ruleYaml(id)));
      const run = await calls.create({
        policies: [{ id, snapshot: next }],
        canary: null,
        partners: [id],
      });
      await calls.until(run, ({ status }) => status === 'notifying');
      await expect.poll(() => partner.calls.length, { timeout: 20_000 }).toBe(1);
      await stop(run);
      partner.answer = { status: 204 };
      const page = await calls.until(run, ({ endedAt }) => endedAt !== null);
      expect(page.status).toBe('succeeded');
      await expect.poll(() => partner.calls.length, { timeout: 120_000 }).toBe(2);
      const ids = new Set(partner.calls.map(({ headers }) => headers['webhook-id']));
      expect(ids.size).toBe(1);
      await calls.settled(async () => expect((await calls.rule(id)).snapshot).toBe(next));
    },
  );
});
