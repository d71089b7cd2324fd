import { handle } from 'hono/aws-lambda';
import { awsApi } from '../src/compose/aws-api.ts';
import { awsJobJournals } from '../src/compose/aws-job-journals.ts';
import { createApp } from '../src/http/app.ts';
import { queryRoutes } from '../src/http/handlers/query-handlers.ts';

const deps = { ...awsApi(), jobJournals: awsJobJournals() };

export const handler = handle(createApp(deps, queryRoutes(deps)));
