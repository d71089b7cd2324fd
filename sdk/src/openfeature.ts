import {
  ErrorCode,
  type JsonValue,
  OpenFeatureEventEmitter,
  type Provider,
  ProviderEvents,
  type ResolutionDetails,
  StandardResolutionReasons,
} from '@openfeature/server-sdk';
import type { PolicyClient, PolicyDescription } from './policies/policy-client.ts';

/** What the provider uses of a client. */
type Policies = Pick<
  PolicyClient,
  'ready' | 'getSync' | 'describe' | 'onChange' | 'onEvent' | 'close'
>;

/** Keys that are remembered, to say which of them a change is about. */
const maxKeys = 10_000;

const codesByError: Readonly<Record<string, ErrorCode>> = {
  NotReadyError: ErrorCode.PROVIDER_NOT_READY,
  UnknownPolicyError: ErrorCode.FLAG_NOT_FOUND,
};

/**
 * An OpenFeature provider (https://openfeature.dev) of the rules that a client has at hand. A flag key
 * is the id of a policy, for its whole rule, or the id and a JSON pointer (RFC 6901) into the rule:
 * `epa-pm25-limit/limit`. No id has a slash in it, so there is one way to read a key.
 *
 * The variant is the version of the rule; `snapshot`, `version` and `gen` are its metadata. The
 * evaluation context makes no difference: which arm of a canary a client gets is decided for the
 * subject that it was made for. Closed with OpenFeature, it closes the client.
 */
export class HmsProvider implements Provider {
  readonly metadata = { name: 'hms-svc' } as const;
  readonly runsOn = 'server';
  readonly events = new OpenFeatureEventEmitter();
  readonly #policies: Policies;
  readonly #stops: readonly (() => void)[];
  readonly #keys = new Set<string>();

  constructor(policies: Policies) {
    this.#policies = policies;
    this.#stops = [
      policies.onChange(({ id }) => {
        const below = [...this.#keys].filter((key) => key.startsWith(`${id}/`));
        const flagsChanged = [id, ...below];
        this.events.emit(ProviderEvents.ConfigurationChanged, { flagsChanged });
      }),
      policies.onEvent(({ type, message }) => {
        if (type === 'stale') this.events.emit(ProviderEvents.Stale, { message });
        if (type === 'recovered') this.events.emit(ProviderEvents.Ready, { message });
      }),
    ];
  }

  /** Until the rules are at hand. Errors: `HmsError` when it is closed before. */
  async initialize(): Promise<void> {
    await this.#policies.ready();
  }

  async onClose(): Promise<void> {
    for (const stop of this.#stops) stop();
    await this.#policies.close();
  }

  async resolveBooleanEvaluation(
    key: string,
    fallback: boolean,
  ): Promise<ResolutionDetails<boolean>> {
    return this.#resolve(key, fallback, (value) => typeof value === 'boolean');
  }

  async resolveStringEvaluation(key: string, fallback: string): Promise<ResolutionDetails<string>> {
    return this.#resolve(key, fallback, (value) => typeof value === 'string');
  }

  async resolveNumberEvaluation(key: string, fallback: number): Promise<ResolutionDetails<number>> {
    return this.#resolve(key, fallback, (value) => typeof value === 'number');
  }

  async resolveObjectEvaluation<T extends JsonValue>(
    key: string,
    fallback: T,
  ): Promise<ResolutionDetails<T>> {
    return this.#resolve(key, fallback, (value) => typeof value === 'object' && value !== null);
  }

  #resolve<T>(key: string, fallback: T, fits: (value: unknown) => boolean): ResolutionDetails<T> {
    const [id = '', ...steps] = key.split('/');
    const refused = (errorCode: ErrorCode, errorMessage: string) => ({
      value: fallback,
      reason: StandardResolutionReasons.ERROR,
      errorCode,
      errorMessage,
    });
    let value: unknown;
    try {
      value = this.#policies.getSync(id);
    } catch (error) {
      const { name, message } = error as Error;
      return refused(codesByError[name] ?? ErrorCode.GENERAL, message);
    }
    if (steps.length > 0 && this.#keys.size < maxKeys) this.#keys.add(key);
    for (const step of steps) value = memberOf(value, step);
    if (value === undefined) return refused(ErrorCode.FLAG_NOT_FOUND, `${id} has no ${key}.`);
    if (!fits(value)) return refused(ErrorCode.TYPE_MISMATCH, `${key} is not of that type.`);
    return { value: value as T, ...detailsOf(this.#policies.describe(id)) };
  }
}

/** One step of a JSON pointer. */
function memberOf(value: unknown, step: string): unknown {
  const name = step.replaceAll('~1', '/').replaceAll('~0', '~');
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined;
  // `length` is no member of a list, as JSON has it.
  if (Array.isArray(value) && !/^\d+$/.test(name)) return undefined;
  return (value as Readonly<Record<string, unknown>>)[name];
}

function detailsOf(description: PolicyDescription | undefined) {
  const { snapshot, version, gen, stale = false } = description ?? {};
  return {
    reason: stale ? StandardResolutionReasons.STALE : StandardResolutionReasons.STATIC,
    ...(typeof version === 'string' ? { variant: version } : {}),
    flagMetadata: {
      ...(typeof snapshot === 'string' ? { snapshot } : {}),
      ...(typeof version === 'string' ? { version } : {}),
      ...(gen === undefined ? {} : { gen }),
    },
  };
}
