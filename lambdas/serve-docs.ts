import { readFile } from 'node:fs/promises';
import { handle } from 'hono/aws-lambda';
import { setting } from '../src/compose/aws-config.ts';
import { awsRuntime } from '../src/compose/aws-runtime.ts';
import { createApp } from '../src/http/app.ts';
import { openRoutes } from '../src/http/handlers/open-handlers.ts';

const app = createApp(
  awsRuntime(),
  openRoutes({
    tokenUrl: setting('HMS_TOKEN_URL'),
    // The bundle carries the files of swagger-ui-dist beside it.
    readAsset: (name) => readFile(new URL(`assets/${name}`, import.meta.url)),
  }),
);

export const handler = handle(app);
