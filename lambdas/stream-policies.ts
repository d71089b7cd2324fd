import { awsApi } from '../src/compose/aws-api.ts';
import { awsJobJournals } from '../src/compose/aws-job-journals.ts';
import { setting } from '../src/compose/aws-config.ts';
import { streamingHandler } from '../src/compose/aws-streaming.ts';
import { createApp } from '../src/http/app.ts';
import { streamRoutes } from '../src/http/handlers/stream-handlers.ts';

const deps = { ...awsApi(), jobJournals: awsJobJournals() };
const limits = { lifeMs: Number(setting('HMS_STREAM_MAX_S')) * 1000, heartbeatMs: 15_000 };

export const handler = streamingHandler(createApp(deps, streamRoutes(deps, limits)));
