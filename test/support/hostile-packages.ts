import { deflateRawSync } from 'node:zlib';
import { type HostileZip, hostileZip } from './hostile-zip.ts';
import { packageOf, ruleYaml } from './policy-documents.ts';

const KiB = 1024;
const MiB = 1024 * KiB;

/** Packages of a policy that are all to be refused, each for another reason. */
export function hostilePackages(id: string): Readonly<Record<string, Uint8Array>> {
  const content = ruleYaml(id, { version: '6.6.6' });
  const policy = { name: 'policy.yaml', content };
  const zip = (more: Partial<HostileZip> & { entries?: HostileZip['entries'] }): Uint8Array =>
    hostileZip({ ...more, entries: [policy, ...(more.entries ?? [])] });
  const beside = (name: string) => zip({ entries: [{ name, content: 'a: 1\n' }] });
  const bomb = Buffer.alloc(64 * MiB);
  const sound = packageOf(content);
  return {
    nothing: new Uint8Array(),
    'no ZIP': Buffer.from('not a zip'),
    'a ZIP without a rule': hostileZip({ entries: [{ name: 'metadata.json', content: '{}' }] }),
    'half a ZIP': sound.subarray(0, sound.byteLength / 2),
    'an empty ZIP': hostileZip({ entries: [] }),
    'a zip bomb': zip({
      entries: [{ name: 'metadata.json', method: 8, packed: deflateRawSync(bomb), content: bomb }],
    }),
    'a zip bomb that lies about its size': zip({
      entries: [
        {
          name: 'metadata.json',
          method: 8,
          packed: deflateRawSync(bomb),
          content: '{}',
        },
      ],
    }),
    'a path that climbs': beside('../policy.yaml'),
    'a path that climbs in the middle': beside('scenarios/../../x.yaml'),
    'an absolute path': beside('/etc/passwd'),
    'a path with a drive': beside('C:/x.yaml'),
    'a path with backslashes': beside('scenarios\\x.yaml'),
    'a name with NUL': beside('scenarios/a\0b.yaml'),
    'an unknown entry': beside('run.sh'),
    'the rule twice': zip({
      entries: [{ ...policy, content: ruleYaml(id, { version: '7.0.0' }) }],
    }),
    'the rule twice but for case': beside('POLICY.YAML'),
    '65 entries': zip({
      entries: Array.from({ length: 65 }, (_, i) => ({
        name: `scenarios/${i}.yaml`,
        content: 'a: 1',
      })),
    }),
    'a symlink': zip({
      entries: [
        { name: 'metadata.json', content: '/etc/passwd', both: { attributes: 0o120777 * 0x10000 } },
      ],
    }),
    'an encrypted entry': zip({
      entries: [{ name: 'metadata.json', content: '{}', both: { flags: 1 } }],
    }),
    'headers that disagree': zip({
      entries: [{ name: 'metadata.json', content: '{}', local: { name: 'schema.jsonxx' } }],
    }),
    'trailing data': zip({ suffix: Buffer.from('more') }),
    'a wrong CRC': zip({ entries: [{ name: 'metadata.json', content: '{}', both: { crc: 1 } }] }),
    'metadata that repeats a key': packageOf(content, { 'metadata.json': '{"a":1,"a":2}' }),
    'metadata too deep': packageOf(content, { 'metadata.json': '['.repeat(99) + ']'.repeat(99) }),
    'metadata that is no JSON': packageOf(content, { 'metadata.json': '{a: 1}' }),
    'a scenario that is no YAML': packageOf(content, { 'scenarios/a.yaml': 'a: [' }),
  };
}

/** Rules of a policy, in YAML, that are all to be refused, each for another reason. */
export function hostileRules(id: string): Readonly<Record<string, string | Uint8Array>> {
  const head = ruleYaml(id, { version: '6.6.6' });
  const aliases = Array.from({ length: 12 }, (_, i) => {
    const items = i === 0 ? 'x' : `*a${i - 1}`;
    return `a${i}: &a${i} [${Array.from({ length: 10 }, () => items).join()}]\n`;
  });
  return {
    'a list': '- 1\n',
    nothing: '',
    'more than 256 KiB': `${head}a: ${'a'.repeat(256 * KiB)}\n`,
    'too deep, in flow': `${head}a: ${'['.repeat(5000)}${']'.repeat(5000)}\n`,
    'too deep, in block': `${head}${Array.from({ length: 200 }, (_, i) => `${' '.repeat(i)}a:\n`).join('')}`,
    'aliases that explode': `${head}${aliases.join('')}`,
    'an alias of itself': `${head}a: &a [*a]\n`,
    'a key twice': `${head}version: 1.0.0\n`,
    'a key twice, spelled otherwise': `${head}"a": 1\n"\\u0061": 2\n`,
    'a merge key': `${head}b: &b {c: 1}\n<<: *b\n`,
    'a key of the prototype': `${head}__proto__: {admin: true}\n`,
    'two documents': `${head}---\n${head}`,
    'a tag of code': `${head}a: !!js/function 'function () {}'\n`,
    'an unknown tag': `${head}a: !evil 1\n`,
    'a directive': `%TAG ! tag:evil,2000:\n---\n${head}`,
    'a control character': `${head}a: "\u0001"\n`,
    'a lone CR': `${head}a: 1\rb: 2\n`,
    'bytes that are no UTF-8': Buffer.concat([
      Buffer.from(`${head}a: `),
      Buffer.from([0xff, 0xfe]),
    ]),
    'UTF-16': Buffer.from(head, 'utf16le'),
    'many anchors': `${head}a: [${Array.from({ length: 22_000 }, (_, i) => `&x${i} y`).join()}]\n`,
    'an unclosed quote': `${head}a: "${'b'.repeat(10_000)}`,
    'a number without an end': `${head}a: 1${'0'.repeat(10_000)}\n`,
  };
}
