import { awsPartners } from '../src/compose/aws-partners.ts';
import { awsRecords } from '../src/compose/aws-records.ts';
import { awsRuntime } from '../src/compose/aws-runtime.ts';
import { taskHandler } from '../src/compose/task-handler.ts';
import { notifyPartners } from '../src/core/rollouts/tasks/notify-run.ts';

const deps = { ...awsRuntime(), records: awsRecords(), ...awsPartners() };

export const handler = taskHandler({
  'notify-partners': (input) => notifyPartners(deps, input),
});
