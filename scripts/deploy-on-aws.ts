import { parseArgs } from 'node:util';
import { errorLines, reportOf } from '../sdk/src/cli/error-text.ts';
import { awsPlace } from './service-on-aws/aws-place.ts';
import { deployOnAws, stopOnAws } from './service-on-aws/deploy-on-aws.ts';

const options = {
  stop: { type: 'boolean' },
  stage: { type: 'string' },
  outputs: { type: 'string' },
} as const;

// What `hms-svc deploy --aws` runs: it has the CDK, and the platform to deploy services of.
try {
  const { values, positionals } = parseArgs({ options, allowPositionals: true });
  const { stop, stage, outputs } = values;
  const place = await awsPlace({ stage, outputsFile: outputs });
  const [target = ''] = positionals;
  console.log(stop === true ? await stopOnAws(target, place) : await deployOnAws(target, place));
} catch (error) {
  const report = reportOf(error, undefined, 'deploy');
  console.error(errorLines(report).join('\n'));
  process.exitCode = report.exitCode;
}
