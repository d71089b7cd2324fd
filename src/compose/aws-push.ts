import { ApiGatewayManagementApiClient } from '@aws-sdk/client-apigatewaymanagementapi';
import { gatewayPoster } from '../adapters/aws/gateway-poster.ts';
import type { PushDeps } from '../core/push/push-deps.ts';
import { awsClient, setting } from './aws-config.ts';
import { awsJobJournals } from './aws-job-journals.ts';
import { awsPushQueue } from './aws-push-queue.ts';
import { awsRecords } from './aws-records.ts';
import { awsRuntime } from './aws-runtime.ts';

/** What a function needs that speaks to connections. */
export function awsPush(): PushDeps {
  const client = new ApiGatewayManagementApiClient({
    ...awsClient,
    endpoint: setting('HMS_PUSH_ENDPOINT'),
  });
  return {
    ...awsRuntime(),
    records: awsRecords(),
    jobJournals: awsJobJournals(),
    poster: gatewayPoster({ client }),
    pushQueue: awsPushQueue(),
  };
}
