import type { APIGatewayProxyEvent, APIGatewayProxyResult, Context } from 'aws-lambda';
import { awsApi } from '../src/compose/aws-api.ts';
import { fastRule } from '../src/http/fast-rule.ts';
import { problemReply } from '../src/http/problem-reply.ts';
import { requestTrace } from '../src/http/request-trace.ts';

type Handler = (event: APIGatewayProxyEvent, context: Context) => Promise<APIGatewayProxyResult>;

const deps = awsApi();
let app: Promise<Handler> | undefined;

/** Answers the plain conditional GET; the app is loaded by the first call that needs it. */
export const handler: Handler = async (event, context) => {
  const startedMs = performance.now();
  const header = headerOf(event);
  const reply = await fastRule(deps, {
    method: event.httpMethod,
    target: event.path + query(event),
    authorization: header('authorization'),
    channel: header('x-channel'),
    ifNoneMatch: header('if-none-match'),
    forOthers: header('x-subject') !== undefined || header('x-region') !== undefined,
  }).catch((error: unknown) => {
    const trace = requestTrace(header, deps.platformTrace);
    return problemReply(error, deps.ids.next(), deps.log, () => ({ traceId: trace().traceId }));
  });
  if (reply === null) return (await (app ??= loadApp()))(event, context);
  deps.metrics.requestDone('getPolicy', reply.status, performance.now() - startedMs);
  const { status, headers, body } = reply;
  return {
    statusCode: status,
    headers: { ...headers },
    body: typeof body === 'string' ? body : '',
  };
};

/** API Gateway keeps the case that the caller used. */
function headerOf({ headers }: APIGatewayProxyEvent): (name: string) => string | undefined {
  const lower = Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]);
  const byName = Object.fromEntries(lower) as Record<string, string | undefined>;
  return (name) => byName[name];
}

function query({ multiValueQueryStringParameters: parameters }: APIGatewayProxyEvent): string {
  const pairs = Object.entries(parameters ?? {}).flatMap(([name, values]) =>
    (values ?? []).map((value): [string, string] => [name, value]),
  );
  return pairs.length === 0 ? '' : `?${new URLSearchParams(pairs).toString()}`;
}

async function loadApp(): Promise<Handler> {
  const { ruleApp } = await import('../src/compose/aws-rule-app.ts');
  return ruleApp(deps);
}
