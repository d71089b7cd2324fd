import type { ChannelRecord } from '../../../src/core/policies/channel-record.ts';
import { endCanary, renewLease, startCanary } from '../../../src/core/policies/move-channel.ts';
import { channelKey } from '../../../src/core/policies/policy-keys.ts';
import { placeSnapshot } from '../../../src/core/policies/read-rule.ts';
import { getRecord } from '../../../src/core/records.ts';
import { type Alert, reportAlert } from '../../../src/core/telemetry/report-alert.ts';
import { type Receipt, reportReceipts } from '../../../src/core/telemetry/report-receipts.ts';
import type { CoreDeps } from '../../support/core-deps.ts';
import { TenantCalls } from '../policies/tenant-calls.ts';

/** The policy `p` in `prod` of one tenant: 1.0.0 in force, 2.0.0 stored, and a canary at will. */
export class CanaryLane {
  readonly deps: CoreDeps;
  readonly calls: TenantCalls;
  readonly stable: string;
  readonly candidate: string;

  private constructor(deps: CoreDeps, calls: TenantCalls, stable: string, candidate: string) {
    this.deps = deps;
    this.calls = calls;
    this.stable = stable;
    this.candidate = candidate;
  }

  static async make(deps: CoreDeps, tenant = 'demo', id = 'p'): Promise<CanaryLane> {
    const calls = new TenantCalls(deps, tenant, id);
    const { snapshot } = await calls.publish('prod', { version: '1.0.0' });
    const { record } = await calls.store({ version: '2.0.0' });
    return new CanaryLane(deps, calls, snapshot, record.snapshot);
  }

  /** Its lease lasts for a day. */
  async start(run: number, snapshot = this.candidate): Promise<void> {
    const nowMs = this.deps.clock.nowMs();
    const ref = { snapshot, version: '2.0.0', digest: 'f'.repeat(64) };
    const { tenant, id } = this.calls;
    const rule = await placeSnapshot(this.deps, tenant, id, ref);
    const audience = { weight: 500, salt: 'salt', region: null };
    const leaseUntilMs = nowMs + 24 * 3_600_000;
    await this.move((record) =>
      startCanary(record, { ...audience, run, rule, leaseUntilMs, enforcedFromMs: null }, nowMs),
    );
  }

  end(): Promise<void> {
    return this.move(endCanary);
  }

  leaseUntil(leaseUntilMs: number): Promise<void> {
    return this.move((record) => renewLease(record, record.canary!, leaseUntilMs));
  }

  async move(change: (record: ChannelRecord) => ChannelRecord): Promise<void> {
    const key = channelKey(this.calls.tenant, this.calls.id, 'prod');
    const { value, rev } = (await getRecord(this.deps, key))!;
    const write = { kind: 'put', key, value: change(value), expect: rev } as const;
    await this.deps.records.commit([write], this.deps.ids.next());
  }

  alert(change: Partial<Alert> & { readonly service?: string } = {}, deps: CoreDeps = this.deps) {
    const { service: subject = 'svc-1', ...alert } = change;
    const { tenant, id: policy } = this.calls;
    return reportAlert(
      deps,
      { tenant, subject },
      {
        policy,
        channel: 'prod',
        snapshot: this.candidate,
        fingerprint: 'db-timeout',
        severity: 'warning',
        message: 'The database did not answer.',
        ...alert,
      },
    );
  }

  async tell(
    service: string,
    snapshot: string,
    decisions?: number,
    change: Partial<Receipt> & { readonly reportId?: string } = {},
    deps: CoreDeps = this.deps,
  ) {
    const { reportId = null, ...receipt } = change;
    const { tenant, id: policy } = this.calls;
    const [answer] = await reportReceipts(
      deps,
      { tenant, subject: service },
      [{ policy, channel: 'prod', snapshot, status: 'applied', decisions, ...receipt }],
      reportId,
    );
    return answer;
  }
}
