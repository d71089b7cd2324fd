import { afterEach, expect, it, vi } from 'vitest';
import { awsPartners } from '../../../src/compose/aws-partners.ts';
import type { Notice } from '../../../src/ports/partner-transport.ts';
import { freePort } from '../../support/free-port.ts';

const notice: Notice = {
  id: 'notice-1',
  timestampS: 1,
  type: 'policy.released',
  title: 'A rule',
  text: 'A rule is in force',
  body: '{}',
};
const secret = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLBNE';

afterEach(() => vi.unstubAllEnvs());

it('without an address to send from, mail fails and says what to do', async () => {
  const { partners } = awsPartners();
  const target = { kind: 'email', to: ['clerk@state.example'] } as const;
  expect(await partners.send(target, undefined, notice)).toEqual({
    outcome: 'failed',
    detail: expect.stringContaining('-c mailFrom='),
  });
});

it('reaches no private network unless the stage names it', async () => {
  const webhook = { kind: 'webhook', url: `http://127.0.0.1:${await freePort()}/` } as const;
  const refused = await awsPartners().partners.send(webhook, secret, notice);
  vi.stubEnv('HMS_ALLOW_TARGETS', '10.0.0.0/8,127.0.0.0/8');
  const tried = await awsPartners().partners.send(webhook, secret, notice);
  expect([refused.outcome, tried.outcome]).toEqual(['failed', 'failed']);
  // Nobody listens there, but it was allowed to find that out.
  expect(refused.detail).toContain('address');
  expect(tried.detail).toContain('ECONNREFUSED');
});
