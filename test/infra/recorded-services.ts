import { type EventDelivery, logOfJournal } from '../../src/core/events/event-delivery.ts';
import { publishEvent } from '../../src/core/events/publish-event.ts';
import { rotateSecret } from '../../src/core/events/rotate-secret.ts';
import type { Origin } from '../../src/core/journal/journal-entry.ts';
import { entriesAfter } from '../../src/core/journal/read-journal.ts';
import { jobJournalsOf } from '../../src/core/jobs/job-keys.ts';
import { registerService } from '../../src/core/registry/register-service.ts';
import type { ServiceManifest } from '../../src/core/registry/service-record.ts';
import { someManifest } from '../support/gateway-desk.ts';
import { startService, type TestService } from '../support/start-service.ts';
import type { RecordedCall, RecordedJobs } from './recorded-jobs.ts';
import type { RecordedDeps, RecordedPlatform } from './recorded-platform.ts';

const tenant = 'demo';

/** A service of one tenant that answers everything with 200, and is sent `paid` events. */
export class RecordedServices implements AsyncDisposable {
  readonly deps: RecordedDeps;
  readonly target: TestService;
  readonly #platform: RecordedPlatform;

  private constructor(platform: RecordedPlatform, target: TestService) {
    this.#platform = platform;
    this.deps = platform.deps().deps;
    this.target = target;
  }

  static async open(platform: RecordedPlatform): Promise<RecordedServices> {
    const target = await startService((request, response) => {
      request.resume();
      response.end('{}');
    });
    return new RecordedServices(platform, target);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.target[Symbol.asyncDispose]();
  }

  origin(): Origin {
    return { tenant, actor: 'ann', requestId: crypto.randomUUID() };
  }

  manifest(name: string): ServiceManifest {
    const events = { publishes: ['paid'], subscribes: [{ type: 'paid', path: '/events' }] };
    return someManifest({ name, url: this.target.origin, events });
  }

  async register(name: string): Promise<void> {
    await registerService(this.deps, this.origin(), this.manifest(name));
  }

  async rotate(name: string): Promise<void> {
    await rotateSecret(this.deps, this.origin(), name);
  }

  /** Publishes an event, and answers the data of the job that brings it to a service. */
  async publish(service: string): Promise<EventDelivery> {
    const type = 'paid';
    const asked = { type, data: { amount: 5 }, subject: null, id: null, idempotencyKey: null };
    const { id } = await publishEvent(this.deps, this.origin(), asked);
    for (const journal of jobJournalsOf(tenant, this.deps.jobJournals)) {
      const entries = await entriesAfter(this.deps, journal, -1, 1000);
      const entry = entries.find(({ subject }) => subject === `event:${id}`);
      if (entry === undefined) continue;
      return { service, type, event: id, log: logOfJournal(journal), index: entry.index };
    }
    throw new Error('the event is in no journal');
  }

  pass(ms: number): void {
    const { clock } = this.#platform;
    clock.set(clock.nowMs() + ms);
  }
}

/** All that `manage-services` does: services, their keys, and how everything is. */
export async function serviceScenario(
  call: RecordedCall,
  { services, jobs }: { readonly services: RecordedServices; readonly jobs: RecordedJobs },
): Promise<void> {
  const path = '/services/managed';
  const put = (more: object) => {
    const { name: _, ...manifest } = { ...services.manifest('managed'), ...more };
    return call('putService', path, { method: 'PUT', body: JSON.stringify(manifest) });
  };
  await put({});
  await put({ timeoutMs: 7000 });
  await call('listServices', '/services');
  await call('getService', path);
  for (const _ of ['made', 'changed'])
    await call('rotateSecret', `${path}/secret`, { method: 'POST' });
  await jobs.storeAndDie('pothole.report', {});
  const health = await call('getHealth', '/health');
  expectToTell(health, ['"managed"', '"records"', '"relay"', '"jobs"']);
  await call('deleteService', path, { method: 'DELETE' });
}

function expectToTell(text: string, parts: readonly string[]): void {
  for (const part of parts)
    if (!text.includes(part)) throw new Error(`nothing of ${part}: ${text}`);
}

/** All that `call-service` does: calls, and a circuit that opens and closes. */
export async function gatewayScenario(
  call: RecordedCall,
  services: RecordedServices,
): Promise<void> {
  const path = '/svc/called/check';
  await services.register('called');
  await services.rotate('called');
  await call('callService', path);
  await call('callServiceByPost', path, { method: 'POST', body: '{}' });
  await call('callServiceByPut', path, { method: 'PUT', body: '{}' });
  await call('callServiceByPatch', path, { method: 'PATCH', body: '{}' });
  await call('callServiceByDelete', path, { method: 'DELETE' });
  await call('callServiceByOptions', path, { method: 'OPTIONS' });
  await services.target.stop();
  for (let failed = 0; failed < 8; failed++) {
    await call('callServiceByPost', path, { method: 'POST', body: '{}', mayFail: true });
  }
  await services.target.start();
  services.pass(10_000);
  await call('callService', path);
}
