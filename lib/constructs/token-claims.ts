import { ArnFormat, Stack } from 'aws-cdk-lib';
import { LambdaVersion, UserPoolOperation } from 'aws-cdk-lib/aws-cognito';
import type { UserPool } from 'aws-cdk-lib/aws-cognito';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';

import type { StageConfig } from '../config.ts';
import { clientsParameterName } from './machine-clients.ts';
import { NodeFunction } from './node-function.ts';

/** Puts the tenant into each token before Cognito signs it; without a tenant, no token. */
export class TokenClaims extends Construct {
  readonly function: NodeFunction;

  constructor(scope: Construct, id: string, config: StageConfig, pool: UserPool) {
    super(scope, id);
    const parameterName = clientsParameterName(config);
    this.function = new NodeFunction(this, 'Function', {
      config,
      handler: 'add-token-claims',
      description: 'Adds the tenant to an access token',
      memoryMb: 512,
      // Cognito waits no longer than this.
      timeoutS: 5,
      environment: { HMS_CLIENTS_PARAMETER: parameterName },
      statements: [
        new PolicyStatement({
          actions: ['ssm:GetParameter'],
          resources: [
            Stack.of(this).formatArn({
              service: 'ssm',
              resource: 'parameter',
              resourceName: parameterName.slice(1),
              arnFormat: ArnFormat.SLASH_RESOURCE_NAME,
            }),
          ],
        }),
      ],
    });
    // V3 is the first that is also called for clients without a user:
    // https://docs.aws.amazon.com/cognito/latest/developerguide/user-pool-lambda-pre-token-generation.html
    pool.addTrigger(
      UserPoolOperation.PRE_TOKEN_GENERATION_CONFIG,
      this.function.function,
      LambdaVersion.V3_0,
    );
  }
}
