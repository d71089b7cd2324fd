import { expect, it } from 'vitest';
import type { NoticesRecord } from '../../../src/core/partners/delivery.ts';
import { noticeOf } from '../../../src/core/partners/notice-of.ts';

const policy = {
  id: 'epa-pm25-limit',
  version: '2.0.0',
  snapshot: 'v2024-06-10-1830-9f86d081',
  digest: '9f86d081'.repeat(8),
  gen: 7,
};
const record: NoticesRecord = {
  tenant: 'epa',
  run: 184,
  kind: 'released',
  channel: 'prod',
  policies: [policy],
  reason: 'cleaner air',
  createdAt: '2024-06-10T18:30:00.000Z',
  dueAt: null,
  deliveries: [],
};
const delivery = { id: '184_released_acme_x' };

it('is a CloudEvent, and the same in words', () => {
  const notice = noticeOf(record, delivery, 1_718_044_201_999);
  expect(notice).toMatchObject({
    id: '184_released_acme_x',
    timestampS: 1_718_044_201,
    type: 'policy.released',
    title: 'epa-pm25-limit@2.0.0 is released to prod',
  });
  expect(JSON.parse(notice.body)).toEqual({
    specversion: '1.0',
    id: '184_released_acme_x',
    source: 'hms.policies',
    type: 'policy.released',
    subject: 'run:184',
    time: '2024-06-10T18:30:00.000Z',
    datacontenttype: 'application/json',
    data: {
      tenant: 'epa',
      run: 184,
      channel: 'prod',
      reason: 'cleaner air',
      policies: [{ ...policy, digest: `sha256:${policy.digest}` }],
    },
  });
  expect(notice.text).toBe(
    `epa-pm25-limit@2.0.0 is released to prod.

- epa-pm25-limit 2.0.0 (snapshot v2024-06-10-1830-9f86d081)

Reason: cleaner air
Run 184.
Tenant epa, 2024-06-10T18:30:00.000Z.
`,
  );
});

it('is the same for every attempt', () => {
  const [first, later] = [1000, 99_000].map((nowMs) => noticeOf(record, delivery, nowMs));
  expect(later).toEqual({ ...first, timestampS: 99 });
});

it('says of a restore that it takes back what was told', () => {
  const policies = [policy, { ...policy, id: 'q' }];
  const notice = noticeOf({ ...record, kind: 'restored', policies, reason: null }, delivery, 0);
  expect(notice.type).toBe('policy.restored');
  expect(notice.title).toBe('2 policies are in force again in prod');
  expect(notice.text).toContain('Run 184, of which we told you, was taken back.');
  expect(notice.text).not.toContain('Reason');
});

it('fits a transport, however much is released at once', () => {
  const policies = Array.from({ length: 100 }, (_, i) => ({
    ...policy,
    id: `${i}`.padEnd(128, 'x'),
  }));
  const notice = noticeOf({ ...record, policies }, delivery, 0);
  expect(Buffer.byteLength(notice.body)).toBeLessThan(200 * 1024);
  expect(notice.title).toBe('100 policies are released to prod');
});
