import { expect, it } from 'vitest';
import { packPolicy } from '../../../src/core/packages/pack-policy.ts';
import { acceptPackage } from '../../../src/core/policies/accept-package.ts';

it('takes a bare document for exactly what its package is', async () => {
  const bytes = Buffer.from('id: p\nversion: 1.0.0\nlimit: 25\n');
  const bare = await acceptPackage('p', { form: 'yaml', bytes });
  expect(bare).toEqual(await acceptPackage('p', { form: 'zip', bytes: packPolicy(bytes) }));
});
