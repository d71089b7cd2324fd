import { GovernanceCache } from '../../../src/core/governance/governance-cache.ts';
import {
  type ActionToVet,
  type Vetted,
  vetAction,
} from '../../../src/core/governance/vet-action.ts';
import type { Upload } from '../../../src/core/policies/accept-package.ts';
import type { Channel } from '../../../src/core/policies/channel.ts';
import type { Movement } from '../../../src/core/policies/movement.ts';
import { channelKey } from '../../../src/core/policies/policy-keys.ts';
import { getRecord } from '../../../src/core/records.ts';
import { type CoreDeps, coreDeps } from '../../support/core-deps.ts';
import { TenantCalls } from '../policies/tenant-calls.ts';

/** A report of a pothole by Ravi, unless told. */
export const report: ActionToVet = {
  tenant: 'demo',
  actor: { id: 'portal', subject: 'ravi', region: 'NCR' },
  action: 'pothole.report',
  payload: { lat: 40.7, lon: -74, photos: ['a', 'b'] },
  defaultVerdict: 'allow',
};

/** A tenant whose actions are vetted. */
export class Governed {
  readonly deps: CoreDeps & { readonly governance: GovernanceCache };

  constructor(given: Partial<CoreDeps> = {}, governance = new GovernanceCache()) {
    this.deps = { ...coreDeps(given), governance };
  }

  /** Publishes a policy of the kind `governance`. */
  publish(
    id: string,
    fields: Readonly<Record<string, unknown>>,
    { channel = 'prod', tenant = 'demo' }: { channel?: Channel; tenant?: string } = {},
  ): Promise<Movement> {
    const calls = new TenantCalls(this.deps, tenant, id);
    return calls.publish(channel, { kind: 'governance', ...fields });
  }

  publishYaml(id: string, yaml: string): Promise<Movement> {
    const upload: Upload = { form: 'yaml', bytes: new TextEncoder().encode(yaml) };
    return new TenantCalls(this.deps, 'demo', id).publish('prod', upload);
  }

  /** Puts a body in force that no publish takes: what an older release may have stored. */
  async inject(id: string, body: string): Promise<void> {
    await this.publish(id, { rules: [] });
    const key = channelKey('demo', id, 'prod');
    const held = await getRecord(this.deps, key);
    const current = held?.value.current;
    if (held === undefined || !current) throw new Error(`${id} is not in force.`);
    const value = { ...held.value, current: { ...current, body: { json: body } } };
    const put = { kind: 'put', key, value, expect: held.rev } as const;
    await this.deps.records.commit([put], this.deps.ids.next());
  }

  vet(change: Partial<ActionToVet> = {}): Promise<Vetted> {
    return vetAction(this.deps, { ...report, ...change });
  }

  /** `allowed`, or what denied it. */
  async verdict(change: Partial<ActionToVet> = {}): Promise<string> {
    const vetted = await this.vet(change);
    return vetted.verdict === 'allowed' ? 'allowed' : `${vetted.rule}: ${vetted.reason}`;
  }
}
