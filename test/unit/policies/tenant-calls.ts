import type { Origin } from '../../../src/core/journal/journal-entry.ts';
import type { Upload } from '../../../src/core/policies/accept-package.ts';
import type { Channel } from '../../../src/core/policies/channel.ts';
import type { Lane } from '../../../src/core/policies/channel-record.ts';
import type { Movement } from '../../../src/core/policies/movement.ts';
import { promotePolicy } from '../../../src/core/policies/promote-policy.ts';
import { publishPolicy } from '../../../src/core/policies/publish-policy.ts';
import { readRule, readRuleAt } from '../../../src/core/policies/read-rule.ts';
import { rollbackPolicy } from '../../../src/core/policies/rollback-policy.ts';
import type { SnapshotGuard } from '../../../src/core/policies/snapshot-guard.ts';
import { type StoredSnapshot, storeSnapshot } from '../../../src/core/policies/store-snapshot.ts';
import type { CoreDeps } from '../../support/core-deps.ts';

export interface CallOptions {
  readonly guard?: SnapshotGuard;
  readonly reason?: string;
}

type CallDeps = Pick<CoreDeps, 'records' | 'blobs' | 'clock' | 'ids' | 'signal'>;

/** A bare YAML document. */
export function rule(id: string, fields: Readonly<Record<string, unknown>> = {}): Upload {
  const lines = Object.entries({ id, version: '1.0.0', ...fields }).map(
    ([key, value]) => `${key}: ${JSON.stringify(value)}\n`,
  );
  return { form: 'yaml', bytes: new TextEncoder().encode(lines.join('')) };
}

/** The calls of one tenant, about the policy `p` unless told, by the actor `ann`. */
export class TenantCalls {
  readonly deps: CallDeps;
  readonly tenant: string;
  readonly id: string;
  #requests = 0;

  constructor(deps: CallDeps, tenant = 'demo', id = 'p') {
    this.deps = deps;
    this.tenant = tenant;
    this.id = id;
  }

  lane(channel: Channel): Lane {
    return { tenant: this.tenant, id: this.id, channel };
  }

  origin(): Origin {
    this.#requests += 1;
    return { tenant: this.tenant, actor: 'ann', requestId: `request-${this.#requests}` };
  }

  publish(
    channel: Channel,
    what: Upload | Readonly<Record<string, unknown>>,
    { guard, reason }: CallOptions = {},
  ): Promise<Movement> {
    return moved(
      publishPolicy(this.deps, this.origin(), {
        lane: this.lane(channel),
        upload: isUpload(what) ? what : rule(this.id, what),
        guard: guard ?? null,
        reason: reason ?? null,
      }),
    );
  }

  store(what: Upload | Readonly<Record<string, unknown>>): Promise<StoredSnapshot> {
    const upload = isUpload(what) ? what : rule(this.id, what);
    return storeSnapshot(this.deps, this.origin(), this.id, upload, null);
  }

  rollback(
    channel: Channel,
    snapshot: string | null = null,
    { guard, reason }: CallOptions = {},
  ): Promise<Movement> {
    return rollbackPolicy(this.deps, this.origin(), {
      lane: this.lane(channel),
      snapshot,
      guard: guard ?? null,
      reason: reason ?? null,
    });
  }

  promote(from: Channel, to: Channel, { guard, reason }: CallOptions = {}): Promise<Movement> {
    return moved(
      promotePolicy(this.deps, this.origin(), {
        from,
        to: this.lane(to),
        guard: guard ?? null,
        reason: reason ?? null,
      }),
    );
  }

  /** The version of the rule in force, or the code of the error. */
  async version(channel: Channel): Promise<string> {
    return answer(readRule(this.deps, this.lane(channel), null));
  }

  async versionAt(channel: Channel, atMs: number, knownMs: number): Promise<string> {
    return answer(readRuleAt(this.deps, this.lane(channel), atMs, knownMs));
  }
}

async function answer(found: ReturnType<typeof readRule>): Promise<string> {
  return found.then(
    ({ rule: { version } }) => version,
    (error: unknown) => {
      if (error instanceof Error && 'code' in error) return String(error.code);
      throw error;
    },
  );
}

function isUpload(what: object): what is Upload {
  return 'form' in what && 'bytes' in what;
}

/** For channels that take rules at once. */
async function moved(answered: Promise<Movement | { readonly status: 'held' }>): Promise<Movement> {
  const movement = await answered;
  if (movement.status === 'held') throw new Error('The channel holds new rules back.');
  return movement;
}
