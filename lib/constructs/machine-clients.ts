import { CfnOutput, Duration, Stack } from 'aws-cdk-lib';
import { OAuthScope, UserPoolClientIdentityProvider } from 'aws-cdk-lib/aws-cognito';
import type { UserPoolClient } from 'aws-cdk-lib/aws-cognito';
import { StringParameter } from 'aws-cdk-lib/aws-ssm';
import { Construct } from 'constructs';

import type { MachineClient, StageConfig } from '../config.ts';
import { roleScopes } from '../../src/core/identity/scopes.ts';
import { pascalCase } from './pascal-case.ts';
import type { UserDirectory } from './user-directory.ts';

/** Where the map from client to tenant is kept: by convention, as its reader is made before it. */
export function clientsParameterName(config: StageConfig): string {
  return `/hms/${config.stage}/clients`;
}

/**
 * The clients of each tenant, and whose they are.
 *
 * A client cannot carry attributes of its own in Cognito, so the tenant of each is kept beside
 * them, in a parameter: `{"<client id>":"<tenant>"}`. It holds about 100 clients (4 KB).
 */
export class MachineClients extends Construct {
  constructor(scope: Construct, id: string, config: StageConfig, directory: UserDirectory) {
    super(scope, id);
    const entries = config.clients.map((machine) => {
      const { userPoolClientId } = this.#client(machine, directory);
      new CfnOutput(Stack.of(this), `Client-${machine.name}`, {
        key: `Client${pascalCase(machine.name)}`,
        value: userPoolClientId,
      });
      return `"${userPoolClientId}":${JSON.stringify(machine.tenant)}`;
    });
    new StringParameter(this, 'Tenants', {
      parameterName: clientsParameterName(config),
      description: 'The tenant of each client of the user pool',
      stringValue: `{${entries.join(',')}}`,
    });
  }

  #client({ name, role }: MachineClient, directory: UserDirectory): UserPoolClient {
    const allowed = roleScopes[role].flatMap((scopeName) => directory.scopes.get(scopeName) ?? []);
    return directory.pool.addClient(name, {
      userPoolClientName: name,
      generateSecret: true,
      // No password, no SRP: this client has a secret and nothing else.
      authFlows: { userPassword: false },
      oAuth: {
        flows: { clientCredentials: true },
        scopes: allowed.map((granted) =>
          OAuthScope.resourceServer(directory.resourceServer, granted),
        ),
      },
      supportedIdentityProviders: [UserPoolClientIdentityProvider.COGNITO],
      accessTokenValidity: Duration.hours(1),
      enableTokenRevocation: true,
      preventUserExistenceErrors: true,
    });
  }
}
