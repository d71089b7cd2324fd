import { Stack, Validations } from 'aws-cdk-lib';
import type { CfnElement } from 'aws-cdk-lib';
import { AccessLogFormat } from 'aws-cdk-lib/aws-apigateway';
import { LogGroupLogDestination, WebSocketApi, WebSocketStage } from 'aws-cdk-lib/aws-apigatewayv2';
import { WebSocketLambdaIntegration } from 'aws-cdk-lib/aws-apigatewayv2-integrations';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { LogGroup } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';

import { apiVersion } from '../config.ts';
import type { StageConfig } from '../config.ts';
import { GatewayLogRole } from './gateway-log-role.ts';
import type { NodeFunction } from './node-function.ts';

/**
 * The WebSocket API: it holds the connections. Whoever connects brings a ticket, which our function
 * looks at: there is no other authorizer.
 */
export class PushGateway extends Construct {
  readonly api: WebSocketApi;
  /** Where clients connect. */
  readonly url: string;
  /** Where functions post to connections. */
  readonly endpoint: string;

  constructor(scope: Construct, id: string, config: StageConfig) {
    super(scope, id);
    this.api = new WebSocketApi(this, 'Api', {
      apiName: `hms-${config.stage}-push`,
      description: 'Changes over WebSockets',
      // All frames are one function's: what they are, it finds out.
      routeSelectionExpression: '$request.body.none',
    });
    const { stageName } = this.#stage(config);
    const { region, urlSuffix } = Stack.of(this);
    const { emulatorUrl } = config;
    const place = `${this.api.apiId}.execute-api.${region}.${urlSuffix}/${stageName}`;
    const emulated = `${emulatorUrl}/_aws/execute-api/${this.api.apiId}/${stageName}`;
    this.endpoint = emulatorUrl === null ? `https://${place}` : emulated;
    this.url = emulatorUrl === null ? `wss://${place}` : emulated.replace(/^http/, 'ws');
  }

  /** Has the function answer all that comes. */
  answerBy(worker: NodeFunction): void {
    const integration = new WebSocketLambdaIntegration('Frames', worker.function);
    for (const routeKey of ['$connect', '$disconnect', '$default']) {
      const route = this.api.addRoute(routeKey, { integration });
      Validations.of(route).acknowledge({
        id: 'AwsSolutions-APIG4',
        reason:
          'Who connects brings a ticket that is good once, for 30 seconds, and that the function ' +
          'exchanges for who was given it: a token must not be in an address, and browsers can send ' +
          'no header. All other routes are those of a connection that was let in.',
      });
    }
  }

  /** What a function must be allowed to post to connections and to close them. */
  posting(): PolicyStatement {
    return new PolicyStatement({
      actions: ['execute-api:ManageConnections'],
      resources: methods.map((method) =>
        Stack.of(this).formatArn({
          service: 'execute-api',
          resource: this.api.apiId,
          resourceName: connections(method),
        }),
      ),
    });
  }

  /** For a function with that right. */
  acknowledgeAllConnections(worker: Construct): void {
    const api = Stack.of(this).getLogicalId(this.api.node.defaultChild as CfnElement);
    for (const method of methods) {
      const place = `execute-api:<AWS::Region>:<AWS::AccountId>:<${api}>/${connections(method)}`;
      Validations.of(worker).acknowledge({
        id: `AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:${place}]`,
        reason: 'The connections of one stage of one API, which are named when they are opened.',
      });
    }
  }

  #stage(config: StageConfig): WebSocketStage {
    const logGroup = new LogGroup(this, 'AccessLog', {
      retention: config.logRetention,
      removalPolicy: config.removalPolicy,
    });
    const stage = new WebSocketStage(this, 'Stage', {
      webSocketApi: this.api,
      stageName: apiVersion,
      autoDeploy: true,
      throttle: { rateLimit: config.throttle.requestsPerS, burstLimit: config.throttle.burst },
      detailedMetricsEnabled: true,
      accessLogSettings: {
        destination: new LogGroupLogDestination(logGroup),
        format: AccessLogFormat.custom(JSON.stringify(accessLogFields)),
      },
    });
    // Without it, a stage that logs is refused.
    stage.node.addDependency(new GatewayLogRole(this, 'Log'));
    return stage;
  }
}

/** To post to a connection, and to close it. */
const methods = ['POST', 'DELETE'] as const;

function connections(method: (typeof methods)[number]): string {
  return `${apiVersion}/${method}/@connections/*`;
}

/** Who came and went: never the query of an address, which has the ticket in it, nor a frame. */
const accessLogFields = {
  requestId: '$context.requestId',
  time: '$context.requestTime',
  event: '$context.eventType',
  route: '$context.routeKey',
  status: '$context.status',
  connection: '$context.connectionId',
  integrationStatus: '$context.integration.status',
  integrationMs: '$context.integrationLatency',
  failure: '$context.error.messageString',
  ip: '$context.identity.sourceIp',
};
