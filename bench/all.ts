import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { readOptions } from './harness/options.ts';

const { rounds } = readOptions('All benchmarks, one after the other: some five minutes', {
  rounds: [7, 'interleaved rounds'],
});
const benches = {
  read: 'Reading',
  publish: 'Publishing',
  'fan-out': 'Pushing',
  jobs: 'Jobs',
  gateway: 'Calling services',
  sdk: 'Reading in the process',
};

for (const [name, heading] of Object.entries(benches)) {
  console.log(`\n# ${heading}`);
  const file = fileURLToPath(import.meta.resolve(`./${name}.ts`));
  // A process for each: none inherits what another has warmed up.
  const { status } = spawnSync(process.execPath, [file, '--rounds', String(rounds)], {
    stdio: 'inherit',
  });
  if (status !== 0) process.exitCode = 1;
}
