import { handle } from 'hono/aws-lambda';
import { awsApi } from '../src/compose/aws-api.ts';
import { awsJobJournals } from '../src/compose/aws-job-journals.ts';
import { lazyAwsSecrets } from '../src/compose/aws-partners.ts';
import { awsProbe } from '../src/compose/aws-probe.ts';
import { workerTypes } from '../src/contract/worker-types.ts';
import { jobsPart, recordsPart, relayPart } from '../src/core/registry/own-parts.ts';
import { createApp } from '../src/http/app.ts';
import { serviceSecretRoutes } from '../src/http/handlers/event-handlers.ts';
import { serviceRoutes } from '../src/http/handlers/service-handlers.ts';

const deps = {
  ...awsApi(),
  jobJournals: awsJobJournals(),
  probe: awsProbe(),
  secrets: lazyAwsSecrets(),
};
// Not the bucket: to be told that a blob is missing takes the right to list all of them.
const parts = {
  records: recordsPart(deps),
  relay: relayPart(deps),
  jobs: jobsPart(deps, workerTypes),
};

export const handler = handle(
  createApp(deps, [...serviceRoutes({ ...deps, parts }), ...serviceSecretRoutes(deps)]),
);
