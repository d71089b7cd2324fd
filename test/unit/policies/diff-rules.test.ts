import { beforeEach, describe, expect, it } from 'vitest';
import { diffRules } from '../../../src/core/policies/diff-rules.ts';
import { type CoreDeps, coreDeps } from '../../support/core-deps.ts';
import { TenantCalls } from './tenant-calls.ts';

describe('diffRules', () => {
  let deps: CoreDeps;
  let demo: TenantCalls;
  beforeEach(async () => {
    deps = coreDeps();
    demo = new TenantCalls(deps);
    await demo.publish('prod', { version: '1.0.0', limit: 35 });
    await demo.publish('test', { version: '2.0.0', limit: 25 });
    await demo.store({ version: '3.0.0', limit: 25, text: 'x'.repeat(120_000) });
  });
  const compare = (from: string, to: string) => diffRules(deps, 'demo', 'p', from, to);

  it.each([
    ['1.0.0', '2.0.0'],
    ['prod', 'test'],
    ['prod', '2.0.0'],
  ])('compares two rules by any name of a snapshot or by channel: %s and %s', async (from, to) => {
    const found = await compare(from, to);
    expect(found.from).toMatchObject({ version: '1.0.0' });
    expect(found.to).toMatchObject({ version: '2.0.0' });
    expect(found.changes).toEqual([
      { op: 'replace', pointer: '/version', before: '1.0.0', after: '2.0.0' },
      { op: 'replace', pointer: '/limit', before: 35, after: 25 },
    ]);
    expect(Object.keys(found.to)).toEqual(['snapshot', 'version', 'digest']);
  });

  it('compares a rule that is in the blob store', async () => {
    const { changes } = await compare('test', '3.0.0');
    expect(changes).toEqual([
      { op: 'replace', pointer: '/version', before: '2.0.0', after: '3.0.0' },
      { op: 'add', pointer: '/text', after: 'x'.repeat(120_000) },
    ]);
    expect((await compare('3.0.0', '3.0.0')).changes).toEqual([]);
  });

  it('says what is not there', async () => {
    for (const [from, to] of [
      ['dev', 'prod'],
      ['prod', 'dev'],
      ['1.0.0', '9.0.0'],
    ] as const) {
      await expect(compare(from, to)).rejects.toMatchObject({ code: 'not_found' });
    }
    await expect(diffRules(deps, 'other', 'p', 'prod', 'test')).rejects.toMatchObject({
      code: 'not_found',
    });
  });
});
