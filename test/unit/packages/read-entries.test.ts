import { zipSync } from 'fflate';
import { describe, expect, it } from 'vitest';
import { policyYamlOf, scenariosOf, schemaOf } from '../../../src/core/packages/read-entries.ts';
import { realPolicy } from './real-zips.ts';
import { refusalOf } from './refusal-of.ts';

const bytes = (text: string) => new TextEncoder().encode(text);
const files = (scenarios: Readonly<Record<string, string>>) =>
  zipSync({
    'schema.json': bytes('{"type":"object"}'),
    'policy.yaml': bytes(realPolicy),
    ...Object.fromEntries(
      Object.entries(scenarios).map(([name, text]) => [`scenarios/${name}.yaml`, bytes(text)]),
    ),
  });

describe('the entries of a stored package', () => {
  it('are its scenarios, by name', async () => {
    const zip = files({ 'smog-2': 'a: [1, x]', bots: 'b: 2.5' });
    expect(await scenariosOf(zip)).toEqual([
      { name: 'bots', document: { b: 2.5 } },
      { name: 'smog-2', document: { a: [1, 'x'] } },
    ]);
    expect(await scenariosOf(files({}))).toEqual([]);
  });

  it('are its schema and its rule', async () => {
    expect(await schemaOf(files({}))).toEqual({ type: 'object' });
    expect(await schemaOf(zipSync({ 'policy.yaml': bytes(realPolicy) }))).toBeUndefined();
    expect(await policyYamlOf(files({}))).toBe(realPolicy);
  });

  it('are refused when the bytes are no sound package', async () => {
    const noPolicy = zipSync({ 'schema.json': bytes('{}') });
    expect(await refusalOf(() => policyYamlOf(noPolicy))).toMatchObject({
      code: 'invalid_package',
    });
    for (const read of [scenariosOf, schemaOf, policyYamlOf]) {
      const refusal = await refusalOf(() => read(bytes('no zip')));
      expect(refusal.code).toBe('invalid_package');
    }
    const broken = await refusalOf(() => scenariosOf(files({ bots: 'a: [' })));
    expect(broken.code).toBe('invalid_policy');
  });
});
