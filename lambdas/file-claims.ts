import { awsApi } from '../src/compose/aws-api.ts';
import { awsJobJournals } from '../src/compose/aws-job-journals.ts';
import { streamingHandler } from '../src/compose/aws-streaming.ts';
import { lazyAwsUploads } from '../src/compose/lazy-aws-blobs.ts';
import { commitLanes } from '../src/core/journal/commit-lanes.ts';
import { createApp } from '../src/http/app.ts';
import { claimRoutes } from '../src/http/handlers/claim-handlers.ts';

const api = awsApi();
const deps = {
  ...api,
  lanes: commitLanes(api),
  jobJournals: awsJobJournals(),
  uploads: lazyAwsUploads(),
};

export const handler = streamingHandler(createApp(deps, claimRoutes(deps)));
