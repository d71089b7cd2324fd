import { awsProbe } from '../src/compose/aws-probe.ts';
import { awsRecords } from '../src/compose/aws-records.ts';
import { awsRuntime } from '../src/compose/aws-runtime.ts';
import { probeForAWhile } from '../src/core/registry/keep-probing.ts';

const deps = { ...awsRuntime(), records: awsRecords(), probe: awsProbe() };

/** Until the next call of the schedule has begun: services are probed more often than every minute. */
const forMs = 63_000;

export async function handler(): Promise<void> {
  await probeForAWhile(deps, forMs);
}
