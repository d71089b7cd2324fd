import { expect, test } from 'vitest';

import { recordFamilies } from '../../lib/constructs/record-families.ts';
import { circuitsPartition } from '../../src/core/gateway/circuit-record.ts';
import {
  deadJobsPartition,
  jobsPartition,
  openJobsPartition,
} from '../../src/core/jobs/job-keys.ts';
import {
  headKey,
  journalPartition,
  journalsPartition,
} from '../../src/core/journal/journal-keys.ts';
import { sharedLevelsKey } from '../../src/core/limits/shared-levels.ts';
import { policyPartition } from '../../src/core/policies/policy-keys.ts';
import {
  healthPartition,
  probesPartition,
  servicesPartition,
} from '../../src/core/registry/service-keys.ts';

test('the partitions that functions are held to are those that the code makes', () => {
  expect(recordFamilies).toEqual({
    policies: policyPartition('*', '*'),
    services: servicesPartition('*'),
    serviceHealth: healthPartition('*'),
    circuits: circuitsPartition({ tenant: '*', name: '*' }),
    limits: sharedLevelsKey('*').partition,
    probes: probesPartition,
    journals: journalsPartition,
    entries: journalPartition('*'),
    heads: headKey('*').partition,
    jobs: jobsPartition('*#jobs-*'),
    openJobs: openJobsPartition('*', '*'),
    deadJobs: deadJobsPartition('*'),
  });
});
