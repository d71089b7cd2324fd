import { reportAlert } from '../../src/core/telemetry/report-alert.ts';
import { reportReceipts } from '../../src/core/telemetry/report-receipts.ts';
import type { RolloutDesk } from './rollout-desk.ts';

/** What services say of a policy in prod. */
export class CanaryReports {
  readonly #desk: RolloutDesk;
  readonly #policy: string;

  constructor(desk: RolloutDesk, policy: string) {
    this.#desk = desk;
    this.#policy = policy;
  }

  async alert(snapshot: string, fingerprint: string, subject = 'bot-1'): Promise<void> {
    await reportAlert(
      this.#desk.deps,
      { tenant: this.#desk.tenant, subject },
      {
        policy: this.#policy,
        channel: 'prod',
        snapshot,
        fingerprint,
        severity: 'critical',
        message: 'smoke',
      },
    );
  }

  async decisions(snapshot: string, decisions: number, subject = 'bot-1'): Promise<void> {
    const answers = await reportReceipts(
      this.#desk.deps,
      { tenant: this.#desk.tenant, subject },
      [{ policy: this.#policy, channel: 'prod', snapshot, status: 'applied', decisions }],
      null,
    );
    for (const answer of answers) if (answer.status === 'failed') throw answer.error;
  }

  async refuse(snapshot: string, reason: string, subject = 'bot-1'): Promise<void> {
    await reportReceipts(
      this.#desk.deps,
      { tenant: this.#desk.tenant, subject },
      [{ policy: this.#policy, channel: 'prod', snapshot, status: 'refused', reason }],
      null,
    );
  }
}
