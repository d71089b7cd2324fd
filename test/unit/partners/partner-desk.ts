import type { Deps } from '../../../src/core/deps.ts';
import { commit } from '../../../src/core/journal/commit.ts';
import type { Origin } from '../../../src/core/journal/journal-entry.ts';
import { deliverDue, deliverRun } from '../../../src/core/partners/deliver-due.ts';
import { listDeliveries } from '../../../src/core/partners/deliveries.ts';
import type { Delivery, NoticesRef } from '../../../src/core/partners/delivery.ts';
import { deliveryWrites, type NewNotices } from '../../../src/core/partners/delivery-writes.ts';
import { duePartition, noticesPartition } from '../../../src/core/partners/partner-keys.ts';
import { putPartner } from '../../../src/core/partners/partners.ts';
import { queryRecords } from '../../../src/core/records.ts';
import type { NoticesRecord } from '../../../src/core/partners/delivery.ts';
import type { Attempt, Notice, PartnerTransport } from '../../../src/ports/partner-transport.ts';
import type { RecordWrite } from '../../../src/ports/record-store.ts';
import { coreDeps, type CoreDeps } from '../../support/core-deps.ts';
import { memorySecrets } from '../../support/memory-secrets.ts';
import { journal } from '../journal/notes.ts';

export type PartnerDeps = CoreDeps & Pick<Deps, 'secrets' | 'partners'>;

export const startMs = Date.UTC(2026, 0, 1);
export const secondMs = 1000;
export const minuteMs = 60 * secondMs;
export const hourMs = 60 * minuteMs;
/** When attempts are made, after the first. */
export const scheduleMs = [
  0,
  5 * secondMs,
  5 * minuteMs,
  30 * minuteMs,
  2 * hourMs,
  5 * hourMs,
  8 * hourMs,
  8 * hourMs,
].map((_, place, delays) => delays.slice(0, place + 1).reduce((sum, delay) => sum + delay, 0));

export const delivered: Attempt = { outcome: 'delivered', detail: 'HTTP 204' };
export const down: Attempt = { outcome: 'failed', detail: 'No answer (ECONNREFUSED).' };

/** The secret of every partner. */
export const secret = `whsec_${Buffer.from('hush, nobody may ever see this').toString('base64')}`;

interface Sent {
  readonly to: string;
  readonly atMs: number;
  readonly secret: string | undefined;
  readonly notice: Notice;
}

/** Partners of the tenant `demo`, in memory: `acme` and so on, each with a webhook of that name. */
export class PartnerDesk {
  readonly deps: PartnerDeps;
  readonly sent: Sent[] = [];
  /** What a partner answers to its nth notice (from 1). */
  answer: (to: string, nth: number) => Attempt | Promise<Attempt> = () => delivered;
  readonly tenant: string;

  constructor(given: Partial<PartnerDeps> = {}, tenant = 'demo') {
    this.tenant = tenant;
    const partners: PartnerTransport = {
      send: async (target, key, notice) => {
        const to = target.kind === 'webhook' ? new URL(target.url).hostname : target.kind;
        this.sent.push({ to, atMs: this.deps.clock.nowMs() - startMs, secret: key, notice });
        return this.answer(to, this.sent.filter((one) => one.to === to).length);
      },
    };
    this.deps = { ...coreDeps(given), secrets: memorySecrets(), partners, ...given };
  }

  origin(): Origin {
    return { tenant: this.tenant, actor: 'ann', requestId: 'request-1' };
  }

  async put(...names: readonly string[]): Promise<void> {
    for (const name of names) {
      const target = { kind: 'webhook', url: `https://${name}/` } as const;
      await putPartner(this.deps, this.origin(), name, { target, secret });
    }
  }

  /** A run has released its policies: `{ p: 3 }` is the policy `p` at `gen` 3. */
  async release(
    run: number,
    policies: Readonly<Record<string, number>>,
    partners: readonly string[],
    change: Partial<NewNotices> = {},
    more: readonly RecordWrite[] = [],
  ): Promise<NoticesRef> {
    const kind = change.kind ?? 'released';
    await commit(this.deps, this.origin(), async () => ({
      kind: 'change',
      entry: {
        action: `run.${kind}`,
        subject: `run:${run}`,
        before: null,
        after: null,
        reason: null,
      },
      writes: ({ at }) => [
        ...deliveryWrites(this.deps, {
          tenant: this.tenant,
          run,
          kind: 'released',
          channel: 'prod',
          policies: Object.entries(policies).map(([id, gen]) => ({
            id,
            gen,
            version: `${gen}.0.0`,
            snapshot: `v2026-01-01-0000-0000000${gen}`,
            digest: String(gen).repeat(64).slice(0, 64),
          })),
          partners,
          reason: null,
          at,
          ...change,
        }),
        ...more,
      ],
      result: () => null,
    }));
    return { tenant: this.tenant, run, kind };
  }

  run(run: number) {
    return deliverRun(this.deps, this.tenant, run);
  }

  due() {
    return deliverDue(this.deps);
  }

  list(run: number): Promise<readonly Delivery[]> {
    return listDeliveries(this.deps, this.tenant, run);
  }

  /** `acme delivered`, for each delivery of a run. */
  async statuses(run: number): Promise<string[]> {
    return (await this.list(run)).map(({ partner, status }) => `${partner} ${status}`);
  }

  at(offsetMs: number): void {
    this.deps.clock.set(startMs + offsetMs);
  }

  /** The journal's `delivery.…` entries. */
  async told() {
    const entries = await journal(this.deps.records, this.tenant);
    return entries.filter(({ action }) => action.startsWith('delivery.'));
  }

  /** The places of the index, each with whether it is that of its record. */
  async index(): Promise<string[]> {
    const partition = duePartition;
    const found = await queryRecords<NoticesRef>(this.deps, { partition, limit: 1000 });
    return found.map(({ key }) => key.sort);
  }

  /** What the index must be, from the records alone. */
  async expectedIndex(): Promise<string[]> {
    const partition = noticesPartition(this.tenant);
    const found = await queryRecords<NoticesRecord>(this.deps, { partition, limit: 1000 });
    const places = found.flatMap(({ value }) => {
      const { tenant, run, kind, deliveries } = value;
      const times = deliveries
        .filter(({ status }) => status === 'pending' || status === 'retrying')
        .map(({ nextAttemptAt }) => nextAttemptAt ?? 'never')
        .sort();
      const number = String(run).padStart(12, '0');
      return times.length === 0 ? [] : [`${times[0]}#${tenant}#${number}#${kind}`];
    });
    return places.sort();
  }
}
