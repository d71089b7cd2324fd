import { ResponseType } from 'aws-cdk-lib/aws-apigateway';
import type { RestApi } from 'aws-cdk-lib/aws-apigateway';

import { problems } from '../../src/contract/problems.ts';

type Code = keyof typeof problems;

interface Refusal {
  readonly code: Code;
  readonly detail: string;
  readonly headers?: Readonly<Record<string, string>>;
}

const noToken: Refusal = {
  code: 'unauthenticated',
  // API Gateway may say this of a missing scope as well.
  detail: 'Send `Authorization: Bearer <token>`, valid and with the scope of this call',
  headers: { 'WWW-Authenticate': 'Bearer realm="hms"' },
};
const malformed: Refusal = {
  code: 'invalid_request',
  detail: 'The request cannot be read: check its path, headers and body',
};
const noScope: Refusal = {
  code: 'forbidden',
  detail: 'The token lacks the scope of this call',
  headers: { 'WWW-Authenticate': 'Bearer error="insufficient_scope"' },
};
const unknownRoute: Refusal = {
  code: 'not_found',
  detail: 'Nothing is served by this method here',
};
const tooMany: Refusal = {
  code: 'too_many_requests',
  detail: 'Wait for the seconds that Retry-After names, then go on more slowly',
  headers: { 'Retry-After': '1' },
};
const failed: Refusal = { code: 'internal', detail: 'Report the request id' };
const unavailable: Refusal = {
  code: 'unavailable',
  detail: 'No answer in time; what was asked may have been done. Try again',
  headers: { 'Retry-After': '1' },
};

/**
 * What API Gateway says where our code is not asked.
 * Types and their meaning: https://docs.aws.amazon.com/apigateway/latest/developerguide/supported-gateway-response-types.html
 */
const refusals: readonly (readonly [ResponseType, Refusal])[] = [
  [ResponseType.UNAUTHORIZED, noToken],
  [ResponseType.EXPIRED_TOKEN, noToken],
  [ResponseType.INVALID_SIGNATURE, noToken],
  [ResponseType.ACCESS_DENIED, noScope],
  [ResponseType.WAF_FILTERED, { code: 'forbidden', detail: 'The firewall refuses this request' }],
  // Its name notwithstanding: a path or method that no route has.
  [ResponseType.MISSING_AUTHENTICATION_TOKEN, unknownRoute],
  [ResponseType.RESOURCE_NOT_FOUND, unknownRoute],
  [
    ResponseType.REQUEST_TOO_LARGE,
    { code: 'too_large', detail: 'Send less than the limit of this call' },
  ],
  [
    ResponseType.UNSUPPORTED_MEDIA_TYPE,
    { code: 'unsupported_media_type', detail: 'Send one of the content types of this call' },
  ],
  [ResponseType.THROTTLED, tooMany],
  [ResponseType.QUOTA_EXCEEDED, tooMany],
  [ResponseType.INTEGRATION_FAILURE, unavailable],
  [ResponseType.INTEGRATION_TIMEOUT, unavailable],
  [ResponseType.BAD_REQUEST_BODY, malformed],
  [ResponseType.BAD_REQUEST_PARAMETERS, malformed],
  [ResponseType.DEFAULT_4XX, malformed],
  [ResponseType.API_CONFIGURATION_ERROR, failed],
  [ResponseType.AUTHORIZER_CONFIGURATION_ERROR, failed],
  [ResponseType.AUTHORIZER_FAILURE, failed],
  [ResponseType.DEFAULT_5XX, failed],
];

/** Makes the gateway's own errors read like ours (`src/http/problem-reply.ts`): same form, same codes. */
export function addProblemResponses(api: RestApi): void {
  for (const [type, { code, detail, headers }] of refusals) {
    const { status, title } = problems[code];
    const body = { type: `urn:hms:problem:${code}`, title, status, code, detail };
    api.addGatewayResponse(`Problem-${type.responseType}`, {
      type,
      statusCode: String(status),
      responseHeaders: quoted({ ...always, ...headers }),
      templates: {
        // This template is used whatever the caller accepts; the header says what it is.
        'application/json': JSON.stringify({ ...body, requestId: '$context.requestId' }),
      },
    });
  }
}

const always = { 'Content-Type': 'application/problem+json', 'Cache-Control': 'no-store' };

/** A fixed value is in single quotes. */
function quoted(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, `'${value}'`]));
}
