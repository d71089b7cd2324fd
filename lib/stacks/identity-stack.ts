import { CfnOutput, Stack } from 'aws-cdk-lib';
import type { StackProps } from 'aws-cdk-lib';
import type { Construct } from 'constructs';

import type { StageConfig } from '../config.ts';
import { MachineClients } from '../constructs/machine-clients.ts';
import type { NodeFunction } from '../constructs/node-function.ts';
import { TokenClaims } from '../constructs/token-claims.ts';
import type { TokenIssuer } from '../constructs/token-issuer.ts';
import { UserDirectory } from '../constructs/user-directory.ts';

export interface IdentityStackProps extends StackProps {
  readonly config: StageConfig;
}

/** Cognito: who may call, and the tokens that say so. */
export class IdentityStack extends Stack {
  readonly tokens: TokenIssuer;
  readonly claimsFunction: NodeFunction;

  constructor(scope: Construct, id: string, { config, ...props }: IdentityStackProps) {
    super(scope, id, { ...props, terminationProtection: config.deletionProtection });
    const directory = new UserDirectory(this, 'Directory', config);
    const { pool } = directory;
    this.claimsFunction = new TokenClaims(this, 'Claims', config, pool).function;
    new MachineClients(this, 'Clients', config, directory);
    // Not `pool.userPoolProviderUrl`: the emulator does not know that attribute.
    const issuer = `https://cognito-idp.${this.region}.${this.urlSuffix}/${pool.userPoolId}`;
    const { emulatorUrl } = config;
    const keysBase = emulatorUrl === null ? issuer : `${emulatorUrl}/${pool.userPoolId}`;
    this.tokens = {
      pool,
      issuer,
      jwksUri: `${keysBase}/.well-known/jwks.json`,
      tokenUrl: `${emulatorUrl ?? directory.domain.baseUrl()}/oauth2/token`,
    };
    new CfnOutput(this, 'UserPoolId', { value: pool.userPoolId });
    new CfnOutput(this, 'TokenUrl', { value: this.tokens.tokenUrl });
  }
}
