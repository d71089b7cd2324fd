import { CfnOutput, Stack } from 'aws-cdk-lib';
import type { StackProps } from 'aws-cdk-lib';
import type { RestApi } from 'aws-cdk-lib/aws-apigateway';
import type { Construct } from 'constructs';

import type { StageConfig } from '../config.ts';
import { apiFunctions } from '../constructs/api-functions.ts';
import type { ApiFunctions } from '../constructs/api-functions.ts';
import { Firewall } from '../constructs/firewall.ts';
import type { JobQueues } from '../constructs/job-queues.ts';
import { PolicyApi } from '../constructs/policy-api.ts';
import type { Store } from '../constructs/store-access.ts';
import type { TokenIssuer } from '../constructs/token-issuer.ts';

export interface ApiStackProps extends StackProps {
  readonly config: StageConfig;
  readonly store: Store;
  readonly tokens: TokenIssuer;
  readonly queues: JobQueues;
  /** Where WebSockets are opened. */
  readonly pushUrl: string;
}

/** What answers calls. */
export class ApiStack extends Stack {
  readonly api: RestApi;
  readonly functions: ApiFunctions;

  constructor(scope: Construct, id: string, given: ApiStackProps) {
    const { config, store, tokens, queues, pushUrl, ...props } = given;
    super(scope, id, props);
    this.functions = apiFunctions(this, { config, store, tokens, queues, pushUrl });
    const { api } = new PolicyApi(this, 'Policy', { config, functions: this.functions, tokens });
    this.api = api;
    if (config.firewall !== null) {
      new Firewall(this, 'Firewall', { config, ...config.firewall, stage: api.deploymentStage });
    }
    const { emulatorUrl } = config;
    const { stageName } = api.deploymentStage;
    const url =
      emulatorUrl === null
        ? api.url.replace(/\/$/, '')
        : `${emulatorUrl}/restapis/${api.restApiId}/${stageName}/_user_request_`;
    new CfnOutput(this, 'ApiUrl', { value: url });
    new CfnOutput(this, 'ApiId', { value: api.restApiId });
    new CfnOutput(this, 'ApiStage', { value: stageName });
  }
}
