/** How a service is probed. */
export interface HealthCheck {
  /** Of the page that answers 2xx when the service is well. */
  readonly path: string;
  /** Between two probes of one target, from 5 s up. */
  readonly intervalS: number;
  readonly timeoutMs: number;
  /** Probes in a row that must pass before a target that was down gets traffic, */
  readonly rise: number;
  /** and that must fail before one that was up gets none. */
  readonly fall: number;
}

/** What a service says of itself. */
export interface ServiceManifest {
  /** `[a-z][a-z0-9-]{0,62}`, unique in its tenant. */
  readonly name: string;
  /** Where it is: http or https, without a query; a path in it is kept before that of a call. */
  readonly url: string;
  /** More of the same, at most 16: calls are spread over all of them. */
  readonly replicas: readonly string[];
  /** Another region: gets the calls while nothing of the first is well. */
  readonly secondaryUrl: string | null;
  /** What the gateway lets through: paths, each with all that is below it. `/` for everything. */
  readonly routes: readonly string[];
  readonly events: {
    /** Types that it may publish by `POST /events`. */
    readonly publishes: readonly string[];
    readonly subscribes: readonly ServiceSubscription[];
  };
  readonly health: HealthCheck;
  /** How long one call may take, with all its tries. */
  readonly timeoutMs: number;
}

/** Events of a type go to a path of the service, by POST. */
export interface ServiceSubscription {
  readonly type: string;
  readonly path: string;
}

/** A registered service. */
export interface ServiceRecord {
  readonly manifest: ServiceManifest;
  readonly registeredAt: string;
  readonly changedAt: string;
  readonly changedBy: string;
  /** Which secret it shares with us, one id for each that it was given; none before the first. */
  readonly secretId?: string;
}

/** Which part of a service a target is. */
export type TargetRole = 'primary' | 'secondary';

export interface ServiceTarget {
  readonly url: string;
  readonly role: TargetRole;
}

/** Everything that calls of the service may go to. */
export function targetsOf({ url, replicas, secondaryUrl }: ServiceManifest): ServiceTarget[] {
  const primary = [url, ...replicas].map((one): ServiceTarget => ({ url: one, role: 'primary' }));
  return secondaryUrl === null ? primary : [...primary, { url: secondaryUrl, role: 'secondary' }];
}
