import { awsPartners } from '../src/compose/aws-partners.ts';
import { awsRuns } from '../src/compose/aws-runs.ts';
import { deliverDue } from '../src/core/partners/deliver-due.ts';
import { reconcileRuns } from '../src/core/rollouts/reconcile-runs.ts';

const deps = { ...awsRuns(), ...awsPartners() };

/** Every minute: runs that nobody drives, and notices that are due. One failing does not end the other. */
export async function handler(): Promise<void> {
  const done = await Promise.allSettled([
    reconcileRuns(deps),
    deliverDue(deps, { concurrency: 20 }),
  ]);
  for (const part of done) if (part.status === 'rejected') throw part.reason;
}
