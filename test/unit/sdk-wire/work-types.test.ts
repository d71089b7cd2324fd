import { expectTypeOf, it } from 'vitest';
import type * as z from 'zod';
import type { ClaimPage, OpenedUpload } from '../../../sdk/src/wire/claim.ts';
import type {
  AcceptedEvent,
  DeliveredEvent,
  NamedRule,
  NewEvent,
} from '../../../sdk/src/wire/event.ts';
import type {
  EnqueuedJob,
  JobChange,
  JobEmission,
  JobPage,
  LeasedJob,
  NewJob,
} from '../../../sdk/src/wire/job.ts';
import type { CreatedRun, NewRun, RunChange, RunPage } from '../../../sdk/src/wire/run.ts';
import type { claim, openedUpload } from '../../../src/contract/claim-schemas.ts';
import type {
  acceptedEvent,
  deliveredEvent,
  newEvent,
} from '../../../src/contract/event-schemas.ts';
import type { jobChange, jobEmission } from '../../../src/contract/job-events.ts';
import type { enqueuedJob, job, newJob } from '../../../src/contract/job-schemas.ts';
import type { namedRuleOperations } from '../../../src/contract/operations/named-rule-operations.ts';
import type { runChange } from '../../../src/contract/run-events.ts';
import type { createdRun, newRun, run } from '../../../src/contract/run-schemas.ts';
import type { leasedJobs } from '../../../src/contract/worker-schemas.ts';
import type { WireShape } from '../../support/wire-shape.ts';

/** What a schema answers, and what it takes. */
type Output<S extends z.ZodType> = WireShape<z.output<S>>;
type Input<S extends z.ZodType> = WireShape<z.input<S>>;
type Rule = (typeof namedRuleOperations.getNamedRule.responses)[200]['schema'];

// Checked by the compiler, with all else.
it('the types of jobs are those of the contract', () => {
  expectTypeOf<WireShape<NewJob>>().toEqualTypeOf<Input<typeof newJob>>();
  expectTypeOf<WireShape<EnqueuedJob>>().toEqualTypeOf<Output<typeof enqueuedJob>>();
  expectTypeOf<WireShape<JobPage>>().toEqualTypeOf<Output<typeof job>>();
  expectTypeOf<WireShape<JobChange>>().toEqualTypeOf<Output<typeof jobChange>>();
  expectTypeOf<WireShape<JobEmission>>().toEqualTypeOf<Output<typeof jobEmission>>();
  expectTypeOf<WireShape<LeasedJob>>().toEqualTypeOf<Output<typeof leasedJobs>['jobs'][number]>();
});

it('the types of claims, events and rules are those of the contract', () => {
  expectTypeOf<WireShape<ClaimPage>>().toEqualTypeOf<Output<typeof claim>>();
  expectTypeOf<WireShape<OpenedUpload>>().toEqualTypeOf<Output<typeof openedUpload>>();
  expectTypeOf<WireShape<NewEvent>>().toEqualTypeOf<Input<typeof newEvent>>();
  expectTypeOf<WireShape<AcceptedEvent>>().toEqualTypeOf<Output<typeof acceptedEvent>>();
  expectTypeOf<WireShape<DeliveredEvent>>().toEqualTypeOf<Output<typeof deliveredEvent>>();
  expectTypeOf<WireShape<NamedRule>>().toEqualTypeOf<Output<Rule>>();
});

it('the types of runs are those of the contract', () => {
  expectTypeOf<WireShape<NewRun>>().toEqualTypeOf<Input<typeof newRun>>();
  expectTypeOf<WireShape<CreatedRun>>().toEqualTypeOf<Output<typeof createdRun>>();
  expectTypeOf<WireShape<RunPage>>().toEqualTypeOf<Output<typeof run>>();
  expectTypeOf<WireShape<RunChange>>().toEqualTypeOf<Output<typeof runChange>>();
});
