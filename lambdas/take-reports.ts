import { handle } from 'hono/aws-lambda';
import { awsApi } from '../src/compose/aws-api.ts';
import { createApp } from '../src/http/app.ts';
import { reportRoutes } from '../src/http/handlers/report-handlers.ts';

const deps = awsApi();

export const handler = handle(createApp(deps, reportRoutes(deps)));
