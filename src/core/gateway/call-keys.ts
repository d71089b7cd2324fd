import { LRUCache } from 'lru-cache';
import type { Deps } from '../deps.ts';
import { Unavailable } from '../errors/app-error.ts';
import { type ServiceRef, serviceSecret } from '../registry/service-keys.ts';
import { gatewayLimits } from './gateway-limits.ts';
import type { HmacKey } from './hmac.ts';
import { callKeyOf } from './sign-call.ts';

export interface CallKeysDeps extends Pick<Deps, 'clock' | 'log'> {
  readonly secrets: Pick<Deps['secrets'], 'get' | 'getPrevious'>;
}

type Keys = readonly HmacKey[];

interface KnownKeys {
  readonly secretId: string;
  readonly readAtMs: number;
  readonly keys: Promise<Keys>;
}

const none: Keys = [];

/**
 * The keys that calls of services are signed with, as one process has them: of the secret that the
 * record of a service names, and of the one before it. They are read once for each secret, and again
 * after five minutes; for a service without one, nothing is.
 */
export class CallKeys {
  readonly #deps: CallKeysDeps;
  readonly #known = new LRUCache<string, KnownKeys>({ max: gatewayLimits.maxServices });

  constructor(deps: CallKeysDeps) {
    this.#deps = deps;
  }

  /** Errors: `Unavailable`, when they cannot be read and never were; no call goes out unsigned. */
  async of(ref: ServiceRef, secretId: string | undefined): Promise<Keys> {
    if (secretId === undefined) return none;
    const id = `${ref.tenant}\n${ref.name}`;
    const nowMs = this.#deps.clock.nowMs();
    const found = this.#known.get(id);
    const known = found?.secretId === secretId ? found : undefined;
    if (known !== undefined) {
      const ageMs = nowMs - known.readAtMs;
      if (ageMs >= 0 && ageMs < gatewayLimits.maxKeyAgeMs) return known.keys;
    }
    const read = { secretId, readAtMs: nowMs, keys: this.#read(ref, known?.keys) };
    this.#known.set(id, read);
    try {
      return await read.keys;
    } catch (error) {
      if (this.#known.peek(id) === read) this.#known.delete(id);
      throw error;
    }
  }

  async #read(ref: ServiceRef, last: Promise<Keys> | undefined): Promise<Keys> {
    const { secrets, log } = this.#deps;
    const address = serviceSecret(ref);
    try {
      const [current, previous] = await Promise.all([
        secrets.get(address),
        secrets.getPrevious(address),
      ]);
      if (current === undefined) throw missing(ref);
      return [current, previous].flatMap((each) => (each === undefined ? [] : [callKeyOf(each)]));
    } catch (error) {
      if (last === undefined) throw error;
      log.warn('keys not read again', { ...ref, error });
      return last;
    }
  }
}

function missing({ name }: ServiceRef): Unavailable {
  return new Unavailable(
    `The key of "${name}" is missing, so calls cannot be signed: POST /services/${name}/secret.`,
  );
}
