import { handle } from 'hono/aws-lambda';
import type { APIGatewayProxyEvent, APIGatewayProxyResult, Context } from 'aws-lambda';
import { createApp } from '../http/app.ts';
import { namedRuleRoutes } from '../http/handlers/named-rule-handlers.ts';
import { ruleRoutes } from '../http/handlers/rule-handlers.ts';
import type { awsApi } from './aws-api.ts';

/** Everything about a rule that `fastRule` does not answer, as a Lambda handler. */
export function ruleApp(
  deps: ReturnType<typeof awsApi>,
): (event: APIGatewayProxyEvent, context: Context) => Promise<APIGatewayProxyResult> {
  return handle(createApp(deps, [...ruleRoutes(deps), ...namedRuleRoutes(deps)])) as ReturnType<
    typeof ruleApp
  >;
}
