import {
  type EventDetails,
  OpenFeature,
  ProviderEvents,
  ProviderStatus,
} from '@openfeature/server-sdk';
import { afterEach, describe, expect, it } from 'vitest';
import { HmsError } from '../../../sdk/src/api/errors.ts';
import { HmsProvider } from '../../../sdk/src/openfeature.ts';
import type {
  ChangeListener,
  ClientEvent,
  EventListener,
} from '../../../sdk/src/policies/client-events.ts';
import type { PolicyClient } from '../../../sdk/src/policies/policy-client.ts';
import {
  NotReadyError,
  StaleError,
  UnknownPolicyError,
} from '../../../sdk/src/policies/policy-errors.ts';

const rule = {
  id: 'epa-pm25-limit',
  version: '2.0.0',
  limit: 25,
  units: 'ug_per_m3',
  enforced: true,
  tags: ['health', 'air'],
  'per/hour': { '~max': 40 },
  note: null,
};

/** The rules of a client, as a test wants them. */
class FewPolicies implements Partial<PolicyClient> {
  stale = false;
  error: Error | undefined;
  isClosed = false;
  readonly starting = Promise.withResolvers<void>();
  readonly changeListeners = new Set<ChangeListener>();
  readonly eventListeners = new Set<EventListener>();

  ready = async () => this.starting.promise;

  getSync: PolicyClient['getSync'] = (id) => {
    if (this.error !== undefined) throw this.error;
    if (id !== rule.id) throw new UnknownPolicyError(id, `There is no rule for ${id}.`);
    return rule as never;
  };

  describe = (id: string) => ({
    id,
    snapshot: 'v2026-11-20-1804-b0a49a29',
    version: '2.0.0',
    gen: 3,
    stale: this.stale,
    checkedAt: null,
    next: null,
    refused: null,
  });

  onChange = (listener: ChangeListener) => listen(this.changeListeners, listener);
  onEvent = (listener: EventListener) => listen(this.eventListeners, listener);

  close = async () => {
    this.isClosed = true;
    this.starting.reject(new HmsError('closed'));
  };

  change(id: string): void {
    const change = {
      id,
      snapshot: 's2',
      version: '2.1.0',
      previous: 's1',
      reason: 'updated',
    } as const;
    for (const listener of this.changeListeners) listener(change);
  }

  tell(event: ClientEvent): void {
    for (const listener of this.eventListeners) listener(event);
  }
}

function listen<T>(listeners: Set<T>, listener: T): () => void {
  listeners.add(listener);
  return () => void listeners.delete(listener);
}

afterEach(async () => OpenFeature.close());

async function ready(policies: FewPolicies) {
  policies.starting.resolve();
  await OpenFeature.setProviderAndWait(new HmsProvider(policies));
  return OpenFeature.getClient();
}

describe('HmsProvider', () => {
  it('answers rules and their fields, with which rule it is', async () => {
    const flags = await ready(new FewPolicies());
    const about = {
      variant: '2.0.0',
      reason: 'STATIC',
      flagMetadata: { snapshot: 'v2026-11-20-1804-b0a49a29', version: '2.0.0', gen: 3 },
    };
    expect(await flags.getObjectDetails('epa-pm25-limit', {})).toEqual({
      flagKey: 'epa-pm25-limit',
      value: rule,
      ...about,
    });
    expect(await flags.getNumberDetails('epa-pm25-limit/limit', 0)).toMatchObject({
      value: 25,
      ...about,
    });
    expect(await flags.getStringValue('epa-pm25-limit/units', '')).toBe('ug_per_m3');
    expect(await flags.getBooleanValue('epa-pm25-limit/enforced', false)).toBe(true);
    expect(await flags.getObjectValue('epa-pm25-limit/tags', [])).toEqual(['health', 'air']);
    expect(await flags.getStringValue('epa-pm25-limit/tags/1', '')).toBe('air');
    expect(await flags.getNumberValue('epa-pm25-limit/per~1hour/~0max', 0)).toBe(40);
  });

  it.each([
    ['no-such-policy', 'FLAG_NOT_FOUND'],
    ['no-such-policy/limit', 'FLAG_NOT_FOUND'],
    ['epa-pm25-limit/none', 'FLAG_NOT_FOUND'],
    ['epa-pm25-limit/', 'FLAG_NOT_FOUND'],
    ['epa-pm25-limit/toString', 'FLAG_NOT_FOUND'],
    ['epa-pm25-limit/__proto__', 'FLAG_NOT_FOUND'],
    ['epa-pm25-limit/tags/length', 'FLAG_NOT_FOUND'],
    ['epa-pm25-limit/tags/2', 'FLAG_NOT_FOUND'],
    ['epa-pm25-limit/units/0', 'FLAG_NOT_FOUND'],
    ['epa-pm25-limit/units', 'TYPE_MISMATCH'],
    ['epa-pm25-limit/note', 'TYPE_MISMATCH'],
    ['epa-pm25-limit', 'TYPE_MISMATCH'],
  ])('answers the default for the number %s: %s', async (key, errorCode) => {
    const flags = await ready(new FewPolicies());
    const details = await flags.getNumberDetails(key, 35);
    expect(details).toMatchObject({ value: 35, reason: 'ERROR', errorCode });
    expect(details.errorMessage).toContain(key.split('/')[0]);
  });

  it('takes no number or null for an object', async () => {
    const flags = await ready(new FewPolicies());
    for (const field of ['limit', 'note']) {
      const details = await flags.getObjectDetails(`epa-pm25-limit/${field}`, { a: 1 });
      expect(details).toMatchObject({ value: { a: 1 }, errorCode: 'TYPE_MISMATCH' });
    }
  });

  it('is not ready before the rules are here', async () => {
    const policies = new FewPolicies();
    OpenFeature.setProvider(new HmsProvider(policies));
    const flags = OpenFeature.getClient();
    const before = await flags.getNumberDetails('epa-pm25-limit/limit', 35);
    expect(before).toMatchObject({ value: 35, errorCode: 'PROVIDER_NOT_READY' });
    const isReady = new Promise((resolve) => {
      flags.addHandler(ProviderEvents.Ready, resolve);
    });
    policies.starting.resolve();
    await isReady;
    expect(await flags.getNumberValue('epa-pm25-limit/limit', 35)).toBe(25);
    policies.error = new NotReadyError('There are no rules yet.');
    const details = await flags.getNumberDetails('epa-pm25-limit/limit', 35);
    expect(details).toMatchObject({ value: 35, errorCode: 'PROVIDER_NOT_READY' });
  });

  it('says when rules are stale, and when they are not any more', async () => {
    const policies = new FewPolicies();
    const flags = await ready(policies);
    policies.stale = true;
    policies.tell({ type: 'stale', message: 'not confirmed', checkedAt: null });
    expect(flags.providerStatus).toBe(ProviderStatus.STALE);
    const details = await flags.getNumberDetails('epa-pm25-limit/limit', 35);
    expect(details).toMatchObject({ value: 25, reason: 'STALE' });
    policies.tell({ type: 'recovered', message: 'confirmed' });
    expect(flags.providerStatus).toBe(ProviderStatus.READY);
    policies.error = new StaleError('epa-pm25-limit', new Date(0));
    const old = await flags.getNumberDetails('epa-pm25-limit/limit', 35);
    expect(old).toMatchObject({ value: 35, errorCode: 'GENERAL' });
  });

  it('tells of changes by the keys that are in use', async () => {
    const policies = new FewPolicies();
    const flags = await ready(policies);
    await flags.getNumberValue('epa-pm25-limit/limit', 35);
    await flags.getNumberValue('epa-pm25-limit/units', 35);
    const changes: (EventDetails | undefined)[] = [];
    flags.addHandler(ProviderEvents.ConfigurationChanged, (event) => void changes.push(event));
    policies.change('epa-pm25-limit');
    policies.change('epa-pm25');
    expect(changes.map((event) => event && 'flagsChanged' in event && event.flagsChanged)).toEqual([
      ['epa-pm25-limit', 'epa-pm25-limit/limit', 'epa-pm25-limit/units'],
      ['epa-pm25'],
    ]);
  });

  it('lets go of everything when OpenFeature closes', async () => {
    const policies = new FewPolicies();
    await ready(policies);
    await OpenFeature.close();
    const listening = policies.changeListeners.size + policies.eventListeners.size;
    expect([policies.isClosed, listening]).toEqual([true, 0]);
  });
});
