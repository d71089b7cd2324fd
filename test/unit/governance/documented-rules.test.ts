import { readFileSync } from 'node:fs';
import { beforeEach, describe, expect, it } from 'vitest';
import { governanceLimits } from '../../../src/core/governance/governance-limits.ts';
import { yamlToJson } from '../../../src/core/packages/yaml-to-json.ts';
import type { Json } from '../../../src/core/values/json.ts';
import { Governed } from './governed.ts';

const page = readFileSync(new URL('../../../docs/governance.md', import.meta.url), 'utf8');
const yamls = [...page.matchAll(/```yaml\n([^]*?)```/g)].map(([, yaml = '']) => yaml);
const idOf = (yaml: string) => (yamlToJson(yaml) as { id: string }).id;
const [potholes = '', general = '', stop = ''] = yamls;

/** What stands in the table of messages. */
const messages = [...page.matchAll(/\| `((?:The|No) [^`]+)`/g)].map(([, message = '']) => message);

let governed: Governed;
beforeEach(() => {
  governed = new Governed();
});

const verdictOf = (action: string, payload: Json = {}, subject = 'ravi') =>
  governed.verdict({ action, payload, actor: { id: 'portal', subject } });

it('has three documents and five messages, each of which is tried here', () => {
  expect(yamls.map(idOf)).toEqual([
    'governance.pothole.report',
    'governance',
    'governance.claim.review',
  ]);
  expect(messages).toHaveLength(5);
});

describe('the rules for potholes', () => {
  const here = { lat: 38.9, lon: -77 };
  beforeEach(() => governed.publishYaml(idOf(potholes), potholes));

  it('let a report from within the city pass', async () => {
    expect(await verdictOf('pothole.report', here)).toBe('allowed');
  });

  it('deny one from elsewhere with the message that the documented job shows', async () => {
    const [, data = ''] = /-d '\{"type":"pothole.report","data":(.*?)\}'/.exec(page) ?? [];
    const [, answer = ''] = /```json\n([^]*?)```/.exec(page) ?? [];
    const { error } = JSON.parse(answer) as { error: { message: string } };
    const vetted = await governed.vet({ payload: JSON.parse(data) as Json });
    expect(vetted).toMatchObject({
      verdict: 'denied',
      rule: 'governance.pothole.report/within-the-city',
      reason: error.message,
    });
  });

  it('deny one of a suspended person, and one without a place', async () => {
    const suspended = await verdictOf('pothole.report', here, 'c-2231');
    expect(suspended).toBe(
      'governance.pothole.report/suspended: Your reports are suspended until 1 July; call 311.',
    );
    const placeless = await verdictOf('pothole.report', { lat: 38.9 });
    expect(placeless).toBe(`governance.pothole.report/within-the-city: ${messages[0]}`);
  });

  it('without its message say which rule it was', async () => {
    const silent = potholes.replace('1.0.0', '1.0.1').replaceAll(/ +message: .*\n/g, '');
    await governed.publishYaml('governance.pothole.report', silent);
    const denied = await verdictOf('pothole.report', here, 'c-2231');
    expect(denied).toBe(`governance.pothole.report/suspended: ${messages[1]}`);
  });
});

describe('the rules for every action', () => {
  beforeEach(() => governed.publishYaml(idOf(general), general));

  const at = (time: string) => governed.deps.clock.set(Date.parse(time));

  it('deny everything while the service is closed', async () => {
    at('2026-07-01T04:00:00Z');
    const closed = 'governance/maintenance: We are closed from midnight to 2 a.m.';
    expect(await verdictOf('pothole.report')).toBe(closed);
    at('2026-07-01T06:00:00Z');
    expect(await verdictOf('pothole.report')).toBe('allowed');
  });

  it('leave the review of claims to two people, in office hours', async () => {
    const others = 'governance: Claims are reviewed by Ines and Omar, from 8 to 18.';
    for (const [time, subject, verdict] of [
      ['2026-07-02T12:00:00Z', 'ines', 'allowed'],
      ['2026-07-02T21:59:59Z', 'omar', 'allowed'],
      ['2026-07-02T12:00:00Z', 'ravi', others],
      ['2026-07-02T11:59:59Z', 'ines', others],
      ['2026-07-02T22:00:00Z', 'ines', others],
    ] as const) {
      at(time);
      expect(await verdictOf('claim.review', {}, subject)).toBe(verdict);
    }
  });

  it('without its messages say that nothing allows it', async () => {
    const silent = general.replace('1.0.0', '1.0.1').replaceAll(/ +message: .*\n/g, '');
    await governed.publishYaml('governance', silent);
    expect(await verdictOf('claim.review')).toBe(`governance: ${messages[2]}`);
  });
});

it('the rules that stop a kind of work stop it, and no other', async () => {
  await governed.publishYaml(idOf(stop), stop);
  expect(await verdictOf('claim.review')).toBe(`governance.claim.review: ${messages[3]}`);
  expect(await verdictOf('pothole.report')).toBe('allowed');
});

it('with nothing in force, the message is the one of the default', async () => {
  const denied = await governed.verdict({ action: 'claim.review', defaultVerdict: 'deny' });
  expect(denied).toBe(`default: ${messages[4]}`);
});

it('the limits are those that hold', () => {
  const { maxRules, maxMessageBytes, maxExpressionBytes, maxPatternBytes, maxVetSteps } =
    governanceLimits;
  for (const said of [
    `${maxRules} rules, ${maxExpressionBytes / 1024} KiB of expressions, ${maxPatternBytes / 1024 / 1024} MiB of compiled patterns`,
    `one line of at most ${maxMessageBytes} bytes`,
    `${maxVetSteps.toLocaleString('en').replace(',', ' ')} steps for all rules together`,
  ]) {
    expect(page).toContain(said);
  }
});
