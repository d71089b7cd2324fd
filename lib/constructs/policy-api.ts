import { Duration, Validations } from 'aws-cdk-lib';
import {
  AccessLogFormat,
  AuthorizationType,
  CognitoUserPoolsAuthorizer,
  EndpointType,
  LambdaIntegration,
  LogGroupLogDestination,
  MethodLoggingLevel,
  ResponseTransferMode,
  RestApi,
} from 'aws-cdk-lib/aws-apigateway';
import type { IAuthorizer, MethodOptions, StageOptions } from 'aws-cdk-lib/aws-apigateway';
import { LogGroup } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';

import type { Operation, Part } from '../../src/contract/operation.ts';
import { allOperations } from '../../src/contract/operations/all-operations.ts';
import { apiVersion } from '../config.ts';
import type { StageConfig } from '../config.ts';
import type { ApiFunctions } from './api-functions.ts';
import { addProblemResponses } from './problem-responses.ts';
import type { TokenIssuer } from './token-issuer.ts';
import { resourceServerId } from './user-directory.ts';

export interface PolicyApiProps {
  readonly config: StageConfig;
  readonly functions: ApiFunctions;
  readonly tokens: TokenIssuer;
}

/**
 * The REST API: one method for each operation of the contract, so that the gateway and the code
 * cannot differ. It is regional: an edge endpoint ends a stream after 30 idle seconds.
 */
export class PolicyApi extends Construct {
  readonly api: RestApi;
  readonly #integrations: Readonly<Record<Part, LambdaIntegration>>;

  constructor(scope: Construct, id: string, { config, functions, tokens }: PolicyApiProps) {
    super(scope, id);
    this.api = new RestApi(this, 'Api', {
      restApiName: `hms-${config.stage}`,
      description: 'Policy API of HMS',
      endpointTypes: [EndpointType.REGIONAL],
      // Everything is handed on as bytes; text would be decoded and encoded again, with losses.
      binaryMediaTypes: ['*/*'],
      // `GatewayLogRole` has it, for all APIs.
      cloudWatchRole: false,
      deployOptions: this.#stage(config),
    });
    this.#integrations = integrations(functions);
    this.#addMethods(
      new CognitoUserPoolsAuthorizer(this, 'Authorizer', {
        cognitoUserPools: [tokens.pool],
        resultsCacheTtl: Duration.minutes(5),
      }),
    );
    addProblemResponses(this.api);
    // CDK's output of the address; ours is right on the emulator, too.
    this.api.node.tryRemoveChild('Endpoint');
    this.#acknowledge();
  }

  #stage(config: StageConfig): StageOptions {
    const logGroup = new LogGroup(this, 'AccessLog', {
      retention: config.logRetention,
      removalPolicy: config.removalPolicy,
    });
    return {
      stageName: apiVersion,
      throttlingRateLimit: config.throttle.requestsPerS,
      throttlingBurstLimit: config.throttle.burst,
      tracingEnabled: true,
      metricsEnabled: true,
      loggingLevel: MethodLoggingLevel.ERROR,
      // It would log bodies and tokens.
      dataTraceEnabled: false,
      accessLogDestination: new LogGroupLogDestination(logGroup),
      accessLogFormat: AccessLogFormat.custom(JSON.stringify(accessLogFields)),
    };
  }

  #addMethods(authorizer: CognitoUserPoolsAuthorizer): void {
    const added = new Set<string>();
    for (const operation of allOperations) {
      const { part, scope } = operation;
      const options = scope === null ? open : guarded(authorizer, scope);
      for (const { method, path } of gatewayMethods(operation)) {
        // What is relayed comes once for each of its methods.
        if (added.has(`${method} ${path}`)) continue;
        added.add(`${method} ${path}`);
        this.#addMethod(method, path, part, options);
      }
    }
  }

  #addMethod(method: string, path: string, part: Part, options: MethodOptions): void {
    const resource = this.api.root.resourceForPath(path);
    const added = resource.addMethod(method, this.#integrations[part], options);
    if (options !== open) return;
    for (const id of ['AwsSolutions-APIG4', 'AwsSolutions-COG4']) {
      const reason = 'Health and documentation: they need no token and tell nothing of any tenant.';
      Validations.of(added).acknowledge({ id, reason });
    }
  }

  #acknowledge(): void {
    Validations.of(this.api).acknowledge({
      id: 'AwsSolutions-APIG2',
      reason:
        'Requests are validated by the functions, against the schemas that also make the OpenAPI ' +
        'document: the gateway cannot check ZIP, YAML or unknown parameters, and would answer ' +
        'other errors than the embedded server.',
    });
  }
}

/**
 * The methods of an operation, as API Gateway has them. What is relayed takes every method, and all
 * below its path: `{path+}` there, which does not take the path itself.
 */
export function gatewayMethods({
  method,
  path,
  relayed,
}: Pick<Operation, 'method' | 'path' | 'relayed'>): { method: string; path: string }[] {
  if (relayed === undefined) return [{ method: method.toUpperCase(), path }];
  const above = path.slice(0, path.lastIndexOf('/'));
  return [above, path.replace(/\}$/, '+}')].map((each) => ({ method: 'ANY', path: each }));
}

const open: MethodOptions = { authorizationType: AuthorizationType.NONE };

function guarded(authorizer: IAuthorizer, scope: string): MethodOptions {
  return {
    authorizer,
    authorizationType: AuthorizationType.COGNITO,
    // Any of them will do, as in `permits` of src/core/identity/scopes.ts.
    authorizationScopes: [...new Set([scope, 'admin'])].map(
      (name) => `${resourceServerId}/${name}`,
    ),
  };
}

function integrations(functions: ApiFunctions): Record<Part, LambdaIntegration> {
  const buffered = (part: Part) =>
    new LambdaIntegration(functions[part].function, { allowTestInvoke: false });
  const streamed = (part: Part, timeout: Duration) =>
    new LambdaIntegration(functions[part].function, {
      allowTestInvoke: false,
      responseTransferMode: ResponseTransferMode.STREAM,
      timeout,
    });
  return {
    rules: buffered('rules'),
    queries: buffered('queries'),
    changes: buffered('changes'),
    rollouts: buffered('rollouts'),
    reports: buffered('reports'),
    jobs: buffered('jobs'),
    // The file of a claim has up to 16 MiB, and an answer in one piece 6 MB.
    claims: streamed('claims', Duration.seconds(29)),
    services: buffered('services'),
    // What a service answers may be as long as it likes.
    gateway: streamed('gateway', Duration.minutes(15)),
    graph: buffered('graph'),
    open: buffered('open'),
    stream: streamed('stream', Duration.minutes(15)),
  };
}

/** Who asked what and how it went: never a query, a header or a body, which may hold secrets. */
const accessLogFields = {
  requestId: '$context.requestId',
  time: '$context.requestTime',
  method: '$context.httpMethod',
  path: '$context.path',
  route: '$context.resourcePath',
  status: '$context.status',
  responseBytes: '$context.responseLength',
  latencyMs: '$context.responseLatency',
  integrationMs: '$context.integrationLatency',
  tenant: '$context.authorizer.claims.tenant',
  subject: '$context.authorizer.claims.sub',
  ip: '$context.identity.sourceIp',
  refusal: '$context.error.responseType',
  firewall: '$context.wafResponseCode',
  trace: '$context.xrayTraceId',
};
