import { strToU8, zipSync } from 'fflate';
import type { JournalEntry } from '../../../src/core/journal/journal-entry.ts';
import type { CanaryPlan } from '../../../src/core/policies/canary-plan.ts';
import type { Reader } from '../../../src/core/policies/canary.ts';
import type { ChannelRecord } from '../../../src/core/policies/channel-record.ts';
import { channelKey } from '../../../src/core/policies/policy-keys.ts';
import { type Publication, publishPolicy } from '../../../src/core/policies/publish-policy.ts';
import { readRule } from '../../../src/core/policies/read-rule.ts';
import { rollbackPolicy } from '../../../src/core/policies/rollback-policy.ts';
import { storeSnapshot } from '../../../src/core/policies/store-snapshot.ts';
import { getRecord } from '../../../src/core/records.ts';
import { abortRun } from '../../../src/core/rollouts/abort-run.ts';
import type { CreatedRun, RunRequest } from '../../../src/core/rollouts/create-run.ts';
import type { RunRecord } from '../../../src/core/rollouts/run-record.ts';
import { assertConsistent } from '../../support/consistency.ts';
import { ruleYaml } from '../../support/policy-documents.ts';
import { quickCanary, type RolloutDesk } from '../../support/rollout-desk.ts';

export const hasEnded = ({ endedAt }: RunRecord): boolean => endedAt !== null;
export const isTried = ({ progress }: RunRecord): boolean => progress !== null;

/**
 * A package whose entries are not packed: to unpack them takes real time on another thread, and
 * no test here is to wait for that.
 */
function storedZip(yaml: string): Uint8Array<ArrayBuffer> {
  const files = { 'policy.yaml': strToU8(yaml) };
  return zipSync(files, { level: 0, mtime: new Date(2024, 5, 10, 12) });
}

/** What people do to the policies of a desk in prod. */
export class RolloutStory {
  readonly desk: RolloutDesk;
  readonly #deps: RolloutDesk['deps'];

  /** `deps`: with what people act, such as a store that answers when it likes. */
  constructor(desk: RolloutDesk, deps = desk.deps) {
    this.desk = desk;
    this.#deps = deps;
  }

  lane(id: string) {
    return { tenant: this.desk.tenant, id, channel: 'prod' } as const;
  }

  /** Each with a rule 1.0.0 in force. */
  async inForce(...ids: readonly string[]): Promise<void> {
    for (const id of ids) await this.publish(id, '1.0.0');
  }

  /** Straight into force, whatever the desk's runs do. */
  async publish(id: string, version: string, fields = {}): Promise<void> {
    const { deps } = this.desk;
    await publishPolicy(deps, this.desk.origin('pat'), this.publication(id, version, fields));
  }

  publication(id: string, version: string, fields = {}): Publication {
    const bytes = storedZip(ruleYaml(id, { version, ...fields }));
    return { lane: this.lane(id), upload: { form: 'zip', bytes }, guard: null, reason: null };
  }

  /** Stores a rule and answers its snapshot. */
  async store(id: string, version: string, fields = {}, actor = 'ann'): Promise<string> {
    const { upload } = this.publication(id, version, fields);
    const origin = this.desk.origin(actor);
    return (await storeSnapshot(this.desk.deps, origin, id, upload, null)).record.snapshot;
  }

  rollback(id: string, snapshot: string | null = null) {
    const rollback = { lane: this.lane(id), snapshot, guard: null, reason: null };
    return rollbackPolicy(this.#deps, this.desk.origin('ops'), rollback);
  }

  abort(run: number, reason: string | null = null, actor = 'ops'): Promise<RunRecord> {
    const ref = { tenant: this.desk.tenant, run };
    return abortRun(this.#deps, this.desk.origin(actor), ref, reason);
  }

  /** Queues a run that takes these policies to a version. */
  async create(
    ids: readonly string[],
    version: string,
    request: Partial<RunRequest> = {},
    actor = 'ann',
  ): Promise<CreatedRun> {
    const policies = [];
    for (const id of ids) {
      policies.push({ id, snapshot: await this.store(id, version, {}, actor) });
    }
    return this.desk.create(policies, request, actor);
  }

  /** The same, until its canary is observed. */
  async canary(
    ids: readonly string[],
    version: string,
    plan: Partial<CanaryPlan> = { percent: 100 },
    request: Partial<RunRequest> = {},
  ): Promise<number> {
    const canary = { ...quickCanary, ...plan };
    const { run } = await this.create(ids, version, { canary, ...request });
    await this.desk.until(run, isTried);
    return run;
  }

  /** The version that a reader gets, by default one whom a canary of 100 % serves. */
  async version(id: string, reader: Reader | null = anybody): Promise<string> {
    return (await readRule(this.desk.deps, this.lane(id), reader)).rule.version;
  }

  async versions(...ids: readonly string[]): Promise<string[]> {
    return Promise.all(ids.map((id) => this.version(id)));
  }

  async record(id: string): Promise<ChannelRecord | undefined> {
    const { tenant, channel } = this.lane(id);
    return (await getRecord(this.desk.deps, channelKey(tenant, id, channel)))?.value;
  }

  /** Lets everything come to rest, and checks that the journal tells what is there. */
  async consistent(): Promise<readonly JournalEntry[]> {
    await this.desk.settle();
    const { records, blobs } = this.desk.deps;
    return assertConsistent(records, this.desk.tenant, { blobs });
  }
}

export const anybody: Reader = { subject: 'anybody', region: undefined };
