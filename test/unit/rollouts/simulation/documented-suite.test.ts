import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { yamlToJson } from '../../../../src/core/packages/yaml-to-json.ts';
import { mergeResults } from '../../../../src/core/rollouts/simulation/merge-results.ts';
import { parseSuite } from '../../../../src/core/rollouts/simulation/parse-suite.ts';
import { renderReport } from '../../../../src/core/rollouts/simulation/render-report.ts';
import { replayBatch } from '../../../../src/core/rollouts/simulation/replay-batch.ts';
import { policy, tightened } from './suites.ts';

const page = readFileSync(new URL('../../../../docs/simulation.md', import.meta.url), 'utf8');
const [, yaml = ''] = /```yaml\n([^]*?)```/.exec(page) ?? [];
const [, shown = ''] = /```\n(100% [^]*?)```/.exec(page) ?? [];

it('the documented suite shows what is documented', async () => {
  const suite = parseSuite('inspection-bots', yamlToJson(yaml), policy);
  const results = [await replayBatch(suite, { from: 0, to: suite.size }, [tightened])];
  const summary = mergeResults([suite], results);
  expect(summary).toMatchObject({ passed: true, replayed: 3, adapted: 3 });
  const about = { run: 1, channel: 'prod', policies: [], at: '2024-06-10T18:30:00Z' };
  const report = renderReport(summary, [suite], results, about).replaceAll(/[*#]/g, '');
  const lines = shown.split('\n').filter((line) => line !== '');
  expect(lines.length).toBeGreaterThan(5);
  for (const line of lines) expect(report).toContain(line);

  const stricter = { ...tightened, after: { limit: 15 } };
  const failed = mergeResults([suite], [await replayBatch(suite, { from: 0, to: 4 }, [stricter])]);
  expect(failed.passed).toBe(false);
  expect(failed.findings.join()).toContain('ward-3 2024-03-02 (hospitals: compliant → violation)');
});
