export interface ServiceLabels {
  readonly tenant: string;
  readonly service: string;
}

/** No name of a service has a `_`. */
const others: ServiceLabels = { tenant: '_other', service: '_other' };
const none = '_none';

/**
 * The labels of calls to services, by tenant and service: the first `max` different ones, and one for
 * all others, so that the number of series is bounded. What is known is not copied.
 */
export class KnownServiceLabels {
  readonly #max: number;
  readonly #known = new Map<string, Map<string, ServiceLabels>>();
  #count = 0;

  constructor(max: number) {
    this.#max = max;
  }

  /** `service`: null for a call of none. */
  of(tenant: string, service: string | null): ServiceLabels {
    const name = service ?? none;
    const known = this.#known.get(tenant)?.get(name);
    if (known !== undefined) return known;
    if (this.#count >= this.#max) return others;
    this.#count += 1;
    const made = { tenant, service: name };
    const ofTenant = this.#known.get(tenant) ?? new Map<string, ServiceLabels>();
    this.#known.set(tenant, ofTenant.set(name, made));
    return made;
  }
}

/** One for a process: two tenants with as many services as they may have, and then some. */
export const maxServiceLabels = 500;
