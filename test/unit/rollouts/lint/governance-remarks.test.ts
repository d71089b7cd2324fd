import { describe, expect, it } from 'vitest';
import { lint, places } from './lint.ts';

const head = 'id: governance.pothole.report\nversion: 1.0.0\nkind: governance\n';
const sound = `${head}rules:
  - name: north
    deny: payload.lat > 90.0
`;
const policy = 'governance.pothole.report';

describe('a policy of the kind governance', () => {
  it('that is sound: no findings, and no schema of its kind is needed', () => {
    expect(lint(sound, { policy })).toEqual([]);
    expect(lint(sound, { policy: 'governance' })).toEqual([]);
  });

  it('that is not: each problem, where it is', () => {
    const yaml = `${head}rules:
  - name: north
    deny: payload.lat >
  - name: north
    allow: 'inptu.lat > 1.0'
  - deny: true
    mesage: No.
defualt: deny
`;
    const findings = lint(yaml, { policy });
    expect(places(findings)).toEqual([
      'governance /defualt 11:10',
      'governance /rules/0/deny 6:11',
      'governance /rules/1/name 7:11',
      'governance /rules/1/allow 8:12',
      'governance /rules/2/mesage 10:13',
      'governance /rules/2/name 9:5',
      'governance /rules/2/deny 9:11',
    ]);
    expect(findings[0]).toEqual({
      policy,
      severity: 'error',
      rule: 'governance',
      pointer: '/defualt',
      line: 11,
      column: 10,
      detail:
        'is no field here; there are id, version, kind, effective, tags, description, default, rules',
    });
  });

  it('is checked by a schema of its kind, too, when there is one', () => {
    const kindSchema = { required: ['description'] };
    expect(places(lint(sound, { policy, kindSchema }))).toEqual(['kind /description 1:1']);
  });

  it('that nobody asks: a warning', () => {
    const [finding, ...others] = lint(sound.replace(policy, 'my-rules'), { policy: 'my-rules' });
    expect(others).toEqual([]);
    expect(finding).toMatchObject({ severity: 'warning', rule: 'governance', pointer: '/id' });
    expect(finding?.detail).toBe(
      'nobody asks the rules of this policy; name it governance, or governance.<action>',
    );
  });
});

describe('a policy that is asked for rules', () => {
  it('and is of another kind, or of none', () => {
    const kindless = 'id: governance\nversion: 1.0.0\nlimit: 25\n';
    expect(places(lint(kindless, { policy: 'governance' }))).toEqual(['governance /kind 1:1']);
    const other = `${kindless}kind: limit\n`;
    const found = places(lint(other, { policy: 'governance', kindSchema: {} }));
    expect(found).toEqual(['governance /kind 4:7']);
  });

  it('is told from others by its id', () => {
    for (const id of ['governances', 'my.governance', 'governance-x']) {
      expect(lint(`id: ${id}\nversion: 1.0.0\n`, { policy: id })).toEqual([]);
    }
  });
});
