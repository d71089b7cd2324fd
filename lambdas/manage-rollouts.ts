import { handle } from 'hono/aws-lambda';
import { awsApi } from '../src/compose/aws-api.ts';
import { lazyAwsSecrets } from '../src/compose/aws-partners.ts';
import { lazyAwsWorkflows } from '../src/compose/aws-runs.ts';
import { createApp } from '../src/http/app.ts';
import { rolloutRoutes } from '../src/http/handlers/rollout-handlers.ts';

const deps = { ...awsApi(), workflows: lazyAwsWorkflows(), secrets: lazyAwsSecrets() };

export const handler = handle(createApp(deps, rolloutRoutes(deps)));
