import { createHash } from 'node:crypto';
import { expect } from 'vitest';
import { AppError, Unavailable } from '../../../src/core/errors/app-error.ts';
import { putPartner } from '../../../src/core/partners/partners.ts';
import type { CanaryPlan } from '../../../src/core/policies/canary-plan.ts';
import type { Reader } from '../../../src/core/policies/canary.ts';
import type { ChannelRecord } from '../../../src/core/policies/channel-record.ts';
import { listRuns } from '../../../src/core/rollouts/list-runs.ts';
import { openRunsPartition } from '../../../src/core/rollouts/run-keys.ts';
import type { RunRecord } from '../../../src/core/rollouts/run-record.ts';
import { publishOrStage } from '../../../src/core/rollouts/stage-rule.ts';
import { decideTicket, listTickets } from '../../../src/core/rollouts/tickets.ts';
import { CanaryReports } from '../../support/canary-reports.ts';
import { quickCanary, RolloutDesk } from '../../support/rollout-desk.ts';
import { freeze } from './freeze.ts';
import { RolloutStory } from './rollout-story.ts';
import { whileTimePasses } from './while-time-passes.ts';

/** One thing that somebody does, or that happens. */
export type Act =
  | {
      readonly kind: 'create';
      readonly policies: readonly string[];
      readonly canary: 'none' | 'silent' | 'demanding';
      readonly approvals: number;
      readonly hotfix: boolean;
      /** Until the rules take effect. */
      readonly delaySeconds: number;
      readonly partners: boolean;
    }
  | { readonly kind: 'publish'; readonly policy: string; readonly delaySeconds: number }
  | { readonly kind: 'rollback' | 'decisions'; readonly policy: string }
  | { readonly kind: 'alert'; readonly policy: string; readonly isNew: boolean }
  | { readonly kind: 'abort'; readonly index: number }
  | {
      readonly kind: 'decide';
      readonly index: number;
      readonly decision: 'approve' | 'reject' | 'close';
    }
  | { readonly kind: 'time'; readonly seconds: number }
  | { readonly kind: 'freeze'; readonly isFrozen: boolean }
  /** The next task fails: it is tried again, or, for `defect`, its process ends. */
  | { readonly kind: 'fault'; readonly of: 'defect' | 'unavailable' }
  | { readonly kind: 'kill' | 'sweep' };

/** Several at the same time, or one after the other. */
export type Step = readonly Act[];

const ids = ['a', 'b', 'c'] as const;
const readers: readonly (Reader | null)[] = [
  null,
  ...Array.from({ length: 6 }, (_, n) => ({ subject: `bot-${n}`, region: undefined })),
];
const plans: Readonly<Record<'none' | 'silent' | 'demanding', CanaryPlan | null>> = {
  none: null,
  silent: { ...quickCanary, percent: 50, observeSeconds: 30, allowSilent: true, minDecisions: 0 },
  demanding: { ...quickCanary, percent: 50, observeSeconds: 30 },
};

/** What happens to the rollouts of three policies, and what must be so after each of it. */
export class RandomHistory {
  readonly desk = new RolloutDesk();
  readonly story = new RolloutStory(this.desk);
  readonly #gens = new Map<string, number>();
  readonly #ended = new Map<number, RunRecord>();
  #versions = 1;
  #fingerprints = 0;

  async begin(): Promise<void> {
    await this.story.inForce(...ids);
    await putPartner(this.desk.deps, this.desk.origin(), 'state', {
      target: { kind: 'email', to: ['air@state.example'] },
    });
  }

  /** What is refused changes nothing; any other error is thrown. */
  async take(step: Step): Promise<void> {
    const refused = (error: unknown): void => {
      if (!(error instanceof AppError)) throw error;
    };
    await whileTimePasses(this.desk, () =>
      Promise.all(step.map((act) => this.#act(act).catch(refused))),
    );
    await this.desk.settle();
  }

  async runs(): Promise<readonly RunRecord[]> {
    const { items } = await listRuns(this.desk.deps, this.desk.tenant, undefined, 100);
    return items;
  }

  async #act(step: Act): Promise<void> {
    const { desk, story } = this;
    switch (step.kind) {
      case 'create':
        await this.#create(step);
        break;
      case 'publish': {
        const fields = this.#effectiveIn(step.delaySeconds);
        const publication = story.publication(step.policy, this.#nextVersion(), fields);
        await publishOrStage(desk.deps, desk.origin('pat'), publication, false);
        break;
      }
      case 'rollback':
        await story.rollback(step.policy);
        break;
      case 'abort':
        await story.abort(await this.#runNumber(step.index));
        break;
      case 'decide':
        await this.#decide(step.index, step.decision);
        break;
      case 'alert':
        if (step.isNew) this.#fingerprints += 1;
        await this.#report(step.policy, (reports, snapshot) =>
          reports.alert(snapshot, `alert-${this.#fingerprints}`),
        );
        break;
      case 'decisions':
        await this.#report(step.policy, (reports, snapshot) => reports.decisions(snapshot, 20));
        break;
      case 'time':
        await desk.clock.advance(step.seconds * 1000);
        break;
      case 'kill':
        await desk.kill();
        break;
      case 'sweep':
        await desk.sweep();
        break;
      case 'freeze':
        await freeze(desk, step.isFrozen);
        break;
      case 'fault':
        return this.#breakNextTask(step.of);
    }
  }

  #breakNextTask(of: 'defect' | 'unavailable'): void {
    this.desk.beforeTask = () => {
      this.desk.beforeTask = () => undefined;
      throw of === 'defect' ? new Error('a defect') : new Unavailable('no answer');
    };
  }

  async #create(step: Extract<Act, { kind: 'create' }>): Promise<void> {
    const { policies, canary, approvals, hotfix, delaySeconds, partners } = step;
    const version = this.#nextVersion();
    const fields = this.#effectiveIn(delaySeconds);
    const named = [];
    for (const id of policies) {
      named.push({ id, snapshot: await this.story.store(id, version, fields) });
    }
    await this.desk.create(named, {
      canary: plans[canary],
      approvals,
      hotfix,
      reason: hotfix ? 'leak' : null,
      partners: partners ? ['state'] : [],
    });
  }

  async #decide(index: number, decision: 'approve' | 'reject' | 'close'): Promise<void> {
    const { items } = await listTickets(this.desk.deps, this.desk.tenant, undefined, 100);
    const ticket = items[index % Math.max(1, items.length)];
    if (ticket === undefined) return;
    const answer = { decision, reason: null };
    await decideTicket(this.desk.deps, this.desk.origin('eve'), ticket.id, answer);
  }

  /** Says something of the candidate of a policy, if there is one. */
  async #report(
    id: string,
    say: (reports: CanaryReports, snapshot: string) => Promise<void>,
  ): Promise<void> {
    const canary = (await this.story.record(id))?.canary;
    const reader = readers.find((each) => canary !== undefined && isAmong(canary, each));
    if (canary !== undefined && reader !== undefined) {
      await say(new CanaryReports(this.desk, id), canary.rule.snapshot);
    }
  }

  async #runNumber(index: number): Promise<number> {
    const open = (await this.runs()).filter(({ endedAt }) => endedAt === null);
    return open[index % Math.max(1, open.length)]?.run ?? 1;
  }

  #effectiveIn(seconds: number): Readonly<Record<string, string>> {
    if (seconds === 0) return {};
    return { effective: new Date(this.desk.clock.nowMs() + seconds * 1000).toISOString() };
  }

  #nextVersion(): string {
    this.#versions += 1;
    return `${this.#versions}.0.0`;
  }

  /** What holds at any time. */
  async check(): Promise<void> {
    await this.story.consistent();
    for (const run of await this.runs()) await this.#checkRun(run);
    for (const id of ids) await this.#checkLane(id);
  }

  async #checkRun(run: RunRecord): Promise<void> {
    const was = this.#ended.get(run.run);
    if (was !== undefined) expect(run).toEqual(was);
    if (run.endedAt !== null) this.#ended.set(run.run, run);
    if (run.progress?.verdict.kind === 'fail') expect(run.status).toBe('failed');
    if (run.status !== 'canary' || run.progress === null) return;
    for (const { id, base } of run.policies) {
      const lane = await this.story.record(id);
      // Without its candidate somebody has moved it: the run has still to find out.
      if (lane?.canary?.run !== run.run) expect(lane?.gen).toBeGreaterThan(base?.gen ?? 0);
    }
  }

  async #checkLane(id: string): Promise<void> {
    const lane = await this.story.record(id);
    if (lane === undefined) throw new Error(`${id} is gone`);
    expect(lane.gen).toBeGreaterThanOrEqual(this.#gens.get(id) ?? 0);
    this.#gens.set(id, lane.gen);
    for (const reader of readers) {
      const expected = expectedVersion(lane, reader, this.desk.clock.nowMs());
      expect(await this.story.version(id, reader)).toBe(expected);
    }
  }

  /** Nothing more happens but time: every run comes to its end, and lets go of all it held. */
  async finish(): Promise<void> {
    await this.take([{ kind: 'freeze', isFrozen: false }]);
    for (let hours = 0; hours < 150; hours++) {
      if ((await this.runs()).every(({ endedAt }) => endedAt !== null)) break;
      await this.desk.clock.advance(hours < 10 ? 60_000 : 3_600_000);
      await this.take([{ kind: 'sweep' }]);
    }
    await this.check();
    for (const run of await this.runs()) expect(run.endedAt, `run ${run.run}`).not.toBeNull();
    for (const id of ids) expect((await this.story.record(id))?.canary).toBeUndefined();
    const open = await this.desk.deps.records.query({ partition: openRunsPartition, limit: 10 });
    expect(open).toEqual([]);
    const sent = this.desk.sent.map(({ notice }) => notice.id);
    expect(new Set(sent).size, 'a notice was sent twice').toBe(sent.length);
  }
}

/** A second telling of who gets what. */
function expectedVersion(lane: ChannelRecord, reader: Reader | null, nowMs: number): string {
  const { current, next, canary } = lane;
  const isDue = next !== null && next.effectiveAtMs <= nowMs;
  const stable = isDue ? next.version : (current?.version ?? 'none');
  if (canary === undefined || canary.leaseUntilMs <= nowMs || !isAmong(canary, reader)) {
    return stable;
  }
  return (canary.enforcedFromMs ?? 0) > nowMs ? stable : canary.rule.version;
}

function isAmong(
  { salt, weight }: { readonly salt: string; readonly weight: number },
  reader: Reader | null,
): boolean {
  if (reader === null) return false;
  const digest = createHash('sha256').update(`${salt}\u001f${reader.subject}`).digest();
  return Number(digest.readBigUInt64BE() % 10_000n) < weight;
}
