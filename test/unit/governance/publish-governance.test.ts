import { beforeEach, describe, expect, it } from 'vitest';
import { Unprocessable } from '../../../src/core/errors/app-error.ts';
import { TenantCalls } from '../policies/tenant-calls.ts';
import { Governed } from './governed.ts';

const broken = { rules: [{ name: 'north', deny: 'payload.lat >' }, { name: 'north' }] };

describe('a policy that would deny everything', () => {
  let governed: Governed;
  beforeEach(() => {
    governed = new Governed();
  });

  it('is not taken: the rules in force stay', async () => {
    await governed.publish('governance', { rules: [{ name: 'never', deny: 'true' }] });
    const refused = governed.publish('governance', { version: '2.0.0', ...broken });
    await expect(refused).rejects.toThrow(Unprocessable);
    await expect(refused).rejects.toMatchObject({
      code: 'invalid_policy',
      message:
        'The governance rules are refused: /rules/0/deny line 1, column 13: found > but expecting end of input, /rules/1/name is there twice; name each rule once, /rules/1 needs one of deny and allow: a CEL expression.',
      details: [
        { pointer: '/rules/0/deny', detail: expect.stringMatching(/^line 1, column 13/) },
        { pointer: '/rules/1/name', detail: 'is there twice; name each rule once' },
        { pointer: '/rules/1', detail: 'needs one of deny and allow: a CEL expression' },
      ],
    });
    expect(await governed.vet()).toHaveProperty('rule', 'governance/never');
  });

  it('is not taken in any channel, nor stored for a run', async () => {
    for (const id of ['governance', 'governance.pothole.report', 'of-no-action']) {
      await expect(governed.publish(id, broken, { channel: 'dev' })).rejects.toThrow(Unprocessable);
      const calls = new TenantCalls(governed.deps, 'demo', id);
      await expect(calls.store({ kind: 'governance', ...broken })).rejects.toThrow(Unprocessable);
    }
  });

  it('is not taken under an id that is asked for rules', async () => {
    for (const id of ['governance', 'governance.pothole.report']) {
      for (const fields of [{ kind: undefined }, { kind: 'limit', limit: 25 }]) {
        await expect(governed.publish(id, fields)).rejects.toMatchObject({
          details: [
            { pointer: '/kind', detail: 'must be governance, or the policy have another id' },
          ],
        });
      }
    }
  });

  it('other policies are nobody’s business', async () => {
    for (const id of ['governances', 'my.governance', 'Governance']) {
      await governed.publish(id, { kind: 'limit', rules: 'none' });
    }
    expect(await governed.vet()).toEqual({ verdict: 'allowed', by: [] });
  });
});
