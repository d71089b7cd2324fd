import { handle, streamHandle } from 'hono/aws-lambda';
import { awsApi } from '../src/compose/aws-api.ts';
import { setting } from '../src/compose/aws-config.ts';
import { createApp } from '../src/http/app.ts';
import { streamRoutes } from '../src/http/handlers/stream-handlers.ts';

const deps = awsApi();
const limits = { lifeMs: Number(setting('HMS_STREAM_MAX_S')) * 1000, heartbeatMs: 15_000 };
const app = createApp(deps, streamRoutes(deps, limits));

const { awslambda } = globalThis as { awslambda?: { readonly streamifyResponse?: unknown } };

// Lambda's own runtime brings it along. Where it is missing (an emulator), the stream is collected
// and answered when it has lived its life.
export const handler = awslambda?.streamifyResponse === undefined ? handle(app) : streamHandle(app);
