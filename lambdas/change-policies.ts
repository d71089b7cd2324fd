import { handle } from 'hono/aws-lambda';
import { awsApi } from '../src/compose/aws-api.ts';
import { lazyAwsWorkflows } from '../src/compose/aws-runs.ts';
import { createApp } from '../src/http/app.ts';
import { changeRoutes } from '../src/http/handlers/change-handlers.ts';

const deps = { ...awsApi(), workflows: lazyAwsWorkflows() };

export const handler = handle(createApp(deps, changeRoutes(deps)));
