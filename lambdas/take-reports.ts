import { handle } from 'hono/aws-lambda';
import { awsApi } from '../src/compose/aws-api.ts';
import { setting } from '../src/compose/aws-config.ts';
import { createApp } from '../src/http/app.ts';
import { reportRoutes } from '../src/http/handlers/report-handlers.ts';
import { streamTicketRoutes } from '../src/http/handlers/stream-ticket-handlers.ts';

const deps = { ...awsApi(), socketUrl: setting('HMS_PUSH_URL') };

export const handler = handle(
  createApp(deps, [...reportRoutes(deps), ...streamTicketRoutes(deps)]),
);
