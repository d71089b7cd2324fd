import { httpServiceCaller } from '../src/adapters/runtime/http-service-caller.ts';
import { awsApi } from '../src/compose/aws-api.ts';
import { allowedNetworks } from '../src/compose/aws-networks.ts';
import { lazyAwsSecrets } from '../src/compose/aws-partners.ts';
import { streamingHandler } from '../src/compose/aws-streaming.ts';
import { serviceGateway } from '../src/core/gateway/service-gateway.ts';
import { createApp } from '../src/http/app.ts';
import { gatewayRoutes } from '../src/http/handlers/gateway-handlers.ts';

const deps = {
  ...awsApi(),
  caller: httpServiceCaller({ networks: allowedNetworks() }),
  secrets: lazyAwsSecrets(),
};

export const handler = streamingHandler(
  createApp(deps, gatewayRoutes({ gateway: serviceGateway(deps) })),
);
