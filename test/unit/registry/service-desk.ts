import { rotateSecret } from '../../../src/core/events/rotate-secret.ts';
import { queryRecords } from '../../../src/core/records.ts';
import { deregisterService } from '../../../src/core/registry/deregister-service.ts';
import { type ProbeDeps, probeService } from '../../../src/core/registry/probe-service.ts';
import { readService } from '../../../src/core/registry/read-service.ts';
import { registerService } from '../../../src/core/registry/register-service.ts';
import { type ProbeEntry, probesPartition } from '../../../src/core/registry/service-keys.ts';
import type { ServiceManifest } from '../../../src/core/registry/service-record.ts';
import { type CoreDeps, coreDeps } from '../../support/core-deps.ts';
import { FakeProbe } from '../../support/fake-probe.ts';
import { memorySecrets } from '../../support/memory-secrets.ts';
import type { SecretStore } from '../../../src/ports/secret-store.ts';
import { journal } from '../journal/notes.ts';

export const secondMs = 1000;
export const minuteMs = 60 * secondMs;
export const startMs = Date.UTC(2026, 0, 1);

export const check: ServiceManifest['health'] = {
  path: '/health',
  intervalS: 10,
  timeoutMs: 2000,
  rise: 2,
  fall: 2,
};

/** With every default: `manifestOf('maya', { replicas: ['https://b.example'] })`. */
export function manifestOf(name: string, change: Partial<ServiceManifest> = {}): ServiceManifest {
  return {
    name,
    url: `https://${name}.example`,
    replicas: [],
    secondaryUrl: null,
    routes: ['/'],
    events: { publishes: [], subscribes: [] },
    health: check,
    timeoutMs: 15_000,
    ...change,
  };
}

/** Services of the tenant `demo`, in memory, each well unless `probe.answer` says otherwise. */
export class ServiceDesk {
  readonly deps: CoreDeps &
    ProbeDeps & { readonly probe: FakeProbe; readonly secrets: SecretStore };
  readonly tenant: string;

  constructor(
    { secrets = memorySecrets(), ...given }: Partial<CoreDeps> & { secrets?: SecretStore } = {},
    tenant = 'demo',
  ) {
    const deps = coreDeps(given);
    this.deps = { ...deps, probe: new FakeProbe(deps.clock), secrets };
    this.tenant = tenant;
  }

  get probe(): FakeProbe {
    return this.deps.probe;
  }

  origin(tenant = this.tenant) {
    return { tenant, actor: 'ann', requestId: 'request-1' };
  }

  put(name: string, change: Partial<ServiceManifest> = {}, tenant = this.tenant) {
    return registerService(this.deps, this.origin(tenant), manifestOf(name, change));
  }

  rotate(name: string) {
    return rotateSecret(this.deps, this.origin(), name);
  }

  remove(name: string) {
    return deregisterService(this.deps, this.origin(), name);
  }

  read(name: string) {
    return readService(this.deps, this.tenant, name);
  }

  /** Some time later, unless told: at once, two probes are one. */
  async probed(name: string, afterMs = 10 * secondMs) {
    this.deps.clock.set(this.deps.clock.nowMs() + afterMs);
    return (await probeService(this.deps, { tenant: this.tenant, name }))?.health;
  }

  /** `service.health red green`, for each entry of the journal. */
  async told(tenant = this.tenant): Promise<string[]> {
    const entries = await journal(this.deps.records, tenant);
    return entries.map(({ action, before, after }) => {
      const colours = action === 'service.health' ? [before, after] : [];
      const named = colours.map((state) => (state as { readonly status: string }).status);
      return [action, ...named].join(' ');
    });
  }

  /** `demo/maya 10`, for each service that is to be probed. */
  async listed(): Promise<string[]> {
    const query = { partition: probesPartition, limit: 1000 };
    const found = await queryRecords<ProbeEntry>(this.deps, query);
    return found.map(({ value }) => `${value.tenant}/${value.name} ${value.intervalS}`);
  }
}
