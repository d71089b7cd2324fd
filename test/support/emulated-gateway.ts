import { zipSync } from 'fflate';

export interface EmulatedGateway extends AsyncDisposable {
  /** Where clients connect. */
  readonly url: string;
  /** Where its connections are posted to. */
  readonly endpoint: string;
}

/** It tells whoever says something the id of the connection. */
const code = `export const handler = async ({ requestContext }) =>
  ({ statusCode: 200, body: requestContext.connectionId });`;

/** A WebSocket API on the emulator at AWS_ENDPOINT_URL, until it is disposed of. */
export async function emulatedGateway(): Promise<EmulatedGateway> {
  const { AWS_ENDPOINT_URL = '', AWS_REGION = '' } = process.env;
  const name = `test-${crypto.randomUUID()}`;
  const zip = zipSync({ 'index.mjs': Buffer.from(code) });
  await call('lambda', 'POST', '/2015-03-31/functions', {
    FunctionName: name,
    Runtime: 'nodejs24.x',
    Role: 'arn:aws:iam::000000000000:role/test',
    Handler: 'index.handler',
    Code: { ZipFile: Buffer.from(zip).toString('base64') },
  });
  const { apiId } = await call('apigateway', 'POST', '/v2/apis', {
    name,
    protocolType: 'WEBSOCKET',
    routeSelectionExpression: '$request.body.none',
  });
  const lambda = `arn:aws:lambda:${AWS_REGION}:000000000000:function:${name}`;
  const { integrationId } = await call('apigateway', 'POST', `/v2/apis/${apiId}/integrations`, {
    integrationType: 'AWS_PROXY',
    integrationUri: `arn:aws:apigateway:${AWS_REGION}:lambda:path/2015-03-31/functions/${lambda}/invocations`,
  });
  const target = `integrations/${integrationId}`;
  await call('apigateway', 'POST', `/v2/apis/${apiId}/routes`, { routeKey: '$default', target });
  await call('apigateway', 'POST', `/v2/apis/${apiId}/stages`, { stageName: 'v1' });
  const endpoint = `${AWS_ENDPOINT_URL}/_aws/execute-api/${apiId}/v1`;
  return {
    url: endpoint.replace(/^http/, 'ws'),
    endpoint,
    async [Symbol.asyncDispose]() {
      await call('apigateway', 'DELETE', `/v2/apis/${apiId}`);
      await call('lambda', 'DELETE', `/2015-03-31/functions/${name}`);
    },
  };
}

/** Without the clients: nothing else here needs them, and the emulator looks at no signature. */
async function call(
  service: string,
  method: string,
  path: string,
  input?: object,
): Promise<{ readonly apiId?: string; readonly integrationId?: string }> {
  const { AWS_ENDPOINT_URL = '', AWS_REGION = '' } = process.env;
  const response = await fetch(AWS_ENDPOINT_URL + path, {
    method,
    headers: {
      'Content-Type': 'application/json',
      Authorization: `AWS4-HMAC-SHA256 Credential=test/20260101/${AWS_REGION}/${service}/aws4_request, SignedHeaders=host, Signature=none`,
    },
    ...(input === undefined ? {} : { body: JSON.stringify(input) }),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
  return text === '' ? {} : (JSON.parse(text) as Awaited<ReturnType<typeof call>>);
}
