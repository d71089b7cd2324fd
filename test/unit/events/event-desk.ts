import { expect } from 'vitest';
import { eventDelivery } from '../../../src/contract/job-data-schemas.ts';
import { deliverEventWorker } from '../../../src/core/events/deliver-event-worker.ts';
import { eventDeliver } from '../../../src/core/events/event-delivery.ts';
import { fanOut } from '../../../src/core/events/fan-out.ts';
import { type NewEvent, publishEvent } from '../../../src/core/events/publish-event.ts';
import { rotateSecret } from '../../../src/core/events/rotate-secret.ts';
import { eventsOf } from '../../../src/core/events-of.ts';
import type { JobRecord } from '../../../src/core/jobs/job-record.ts';
import { jobJournalsOf } from '../../../src/core/jobs/job-keys.ts';
import { listJobs } from '../../../src/core/jobs/list-jobs.ts';
import { defineWorker } from '../../../src/core/jobs/define-worker.ts';
import type { Origin } from '../../../src/core/journal/journal-entry.ts';
import { relayJournals } from '../../../src/core/journal/relay-journal.ts';
import { deregisterService } from '../../../src/core/registry/deregister-service.ts';
import { registerService } from '../../../src/core/registry/register-service.ts';
import type { ServiceManifest } from '../../../src/core/registry/service-record.ts';
import type { Attempt, Notice, PartnerTransport } from '../../../src/ports/partner-transport.ts';
import type { CoreDeps } from '../../support/core-deps.ts';
import { FakeProbe } from '../../support/fake-probe.ts';
import { JobDesk } from '../../support/job-desk.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { memorySecrets } from '../../support/memory-secrets.ts';
import { manifestOf } from '../registry/service-desk.ts';

export const submitted = 'voucher-submitted';

interface Sent {
  readonly url: string;
  readonly secret: string | undefined;
  readonly notice: Notice;
}

type Subscribes = Partial<ServiceManifest> | string;

/** Events of a tenant from end to end in memory. Every service answers 204, unless told. */
export class EventDesk extends JobDesk {
  readonly secrets;
  readonly probe: FakeProbe;
  readonly sent: Sent[] = [];
  answer: (url: string) => Attempt = () => ({ outcome: 'delivered', detail: 'HTTP 204' });

  constructor(given: Partial<CoreDeps> & { readonly partners?: PartnerTransport } = {}) {
    const clock = given.clock ?? new ManualClock();
    const secrets = memorySecrets();
    const { partners, ...core } = given;
    const transport: PartnerTransport = {
      send: async (target, secret, notice) => {
        if (partners !== undefined) return partners.send(target, secret, notice);
        const url = target.kind === 'webhook' ? target.url : '';
        this.sent.push({ url, secret, notice });
        return this.answer(url);
      },
    };
    const workers = [
      deliverEventWorker({ schema: eventDelivery, clock, secrets, partners: transport }),
      emittingWorker,
    ];
    super(workers, { ...core, clock });
    this.secrets = secrets;
    this.probe = new FakeProbe(clock);
  }

  /** Registers a service that is sent `voucher-submitted` at `/events`, unless told. */
  async subscribe(name: string, given: Subscribes = submitted, tenant = this.tenant) {
    const subscribes = [{ type: typeof given === 'string' ? given : submitted, path: '/events' }];
    const change = typeof given === 'string' ? {} : given;
    const manifest = manifestOf(name, { events: { publishes: [], subscribes }, ...change });
    await registerService({ ...this.deps, probe: this.probe }, this.by(tenant), manifest);
  }

  async unregister(name: string) {
    await deregisterService({ ...this.deps, secrets: this.secrets }, this.by(), name);
  }

  rotate(name: string, tenant = this.tenant) {
    return rotateSecret({ ...this.deps, secrets: this.secrets }, this.by(tenant), name);
  }

  by(tenant = this.tenant, actor = 'maya'): Origin {
    return { tenant, actor, requestId: 'request-1' };
  }

  publish(event: Partial<NewEvent> = {}, origin = this.by()) {
    return publishEvent(this.deps, origin, {
      type: submitted,
      data: { voucher: 7 },
      subject: null,
      id: null,
      idempotencyKey: null,
      ...event,
    });
  }

  /** A new relay, on the deps of this process unless given: it repeats what is after the cursor. */
  relay(tenant = this.tenant, given: Partial<CoreDeps> = {}) {
    const deps = { ...this.deps, ...given };
    const relay = { ...deps, eventsOf, react: fanOut(deps) };
    const journals = jobJournalsOf(tenant, deps.jobJournals);
    return this.whileTimePasses(() => relayJournals(relay, journals));
  }

  /** Makes every delivery whose turn it is now. */
  async deliver() {
    while ((await this.workOnce(eventDeliver)) !== 'none');
  }

  async deliveries(tenant = this.tenant): Promise<readonly JobRecord[]> {
    const filter = { type: eventDeliver };
    return (await listJobs(this.deps, tenant, filter, undefined, 200)).items;
  }

  /** The one that there is. */
  async delivery(): Promise<JobRecord> {
    const [job, ...more] = await this.deliveries();
    expect(more).toEqual([]);
    if (job === undefined) throw new Error('there is no delivery');
    return job;
  }
}

/** Emits `case.opened` and, as no worker should, one of our own. */
const emittingWorker = defineWorker({
  type: 'test.emit',
  schema: { '~standard': { validate: (value: unknown) => ({ value }) } },
  handler: async ({ tx }) => {
    tx.emit({ type: 'case.opened', subject: 'CASE-7', data: { urgency: 'high' } });
    tx.emit({ type: 'policy.updated', subject: 'p', data: null });
    return null;
  },
});
