import { handle } from 'hono/aws-lambda';
import { awsApi } from '../src/compose/aws-api.ts';
import { awsJobs } from '../src/compose/aws-jobs.ts';
import { awsPartners } from '../src/compose/aws-partners.ts';
import { governanceVet } from '../src/compose/governance-vet.ts';
import { jobWorkers } from '../src/compose/job-workers.ts';
import { governanceDefault } from '../src/compose/local-config.ts';
import { createApp } from '../src/http/app.ts';
import { caseRoutes } from '../src/http/handlers/case-handlers.ts';
import { eventRoutes } from '../src/http/handlers/event-handlers.ts';
import { jobRoutes } from '../src/http/handlers/job-handlers.ts';
import { referenceRoutes } from '../src/http/handlers/reference-handlers.ts';
import { workerRoutes } from '../src/http/handlers/worker-handlers.ts';

const api = { ...awsApi(), ...awsPartners() };
const deps = {
  ...api,
  ...awsJobs(api),
  workers: jobWorkers(api),
  vet: governanceVet(api, governanceDefault(process.env['HMS_GOVERNANCE_DEFAULT'])),
};

export const handler = handle(
  createApp(deps, [
    ...jobRoutes(deps),
    ...workerRoutes(deps),
    ...caseRoutes(deps),
    ...referenceRoutes(deps),
    ...eventRoutes(deps),
  ]),
);
