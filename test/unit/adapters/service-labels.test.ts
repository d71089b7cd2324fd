import { expect, it } from 'vitest';
import {
  KnownServiceLabels,
  maxServiceLabels,
} from '../../../src/adapters/runtime/service-labels.ts';
import { maxServices } from '../../../src/core/registry/read-service.ts';
import { serviceNamePattern } from '../../../src/core/registry/service-keys.ts';

it('tells so many services apart and no more, whatever comes first', () => {
  const labels = new KnownServiceLabels(3);
  const a = labels.of('demo', 'a');
  expect(a).toEqual({ tenant: 'demo', service: 'a' });
  expect(labels.of('other', 'a')).toEqual({ tenant: 'other', service: 'a' });
  expect(labels.of('demo', null)).toEqual({ tenant: 'demo', service: '_none' });
  for (const [tenant, service] of [
    ['demo', 'b'],
    ['third', 'a'],
    ['third', null],
  ] as const) {
    expect(labels.of(tenant, service)).toEqual({ tenant: '_other', service: '_other' });
  }
  expect(labels.of('demo', 'a')).toBe(a);
});

it('calls none by what a service may be called', () => {
  const labels = new KnownServiceLabels(1);
  for (const { service } of [labels.of('demo', null), labels.of('demo', 'more')]) {
    expect(service).not.toMatch(serviceNamePattern);
  }
});

it('has room for two tenants with as many services as they may have', () => {
  expect(maxServiceLabels).toBeGreaterThan(2 * (maxServices + 1));
});
