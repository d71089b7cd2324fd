import { Aws, Duration } from 'aws-cdk-lib';
import {
  AccountRecovery,
  CfnUserPoolGroup,
  FeaturePlan,
  Mfa,
  ResourceServerScope,
  StandardThreatProtectionMode,
  StringAttribute,
  UserPool,
} from 'aws-cdk-lib/aws-cognito';
import type { UserPoolDomain, UserPoolResourceServer } from 'aws-cdk-lib/aws-cognito';
import { Construct } from 'constructs';

import type { StageConfig } from '../config.ts';
import { roleScopes, scopes } from '../../src/core/identity/scopes.ts';

/** What the scopes of our tokens begin with: `hms/read:policy`. */
export const resourceServerId = 'hms';

/** Who may call: people in groups named after roles, and what there is to be allowed. */
export class UserDirectory extends Construct {
  readonly pool: UserPool;
  readonly resourceServer: UserPoolResourceServer;
  readonly scopes: ReadonlyMap<string, ResourceServerScope>;
  readonly domain: UserPoolDomain;

  constructor(scope: Construct, id: string, config: StageConfig) {
    super(scope, id);
    this.pool = this.#pool(config);
    this.scopes = new Map(
      Object.entries(scopes).map(([scopeName, scopeDescription]) => [
        scopeName,
        new ResourceServerScope({ scopeName, scopeDescription }),
      ]),
    );
    this.resourceServer = this.pool.addResourceServer('Scopes', {
      identifier: resourceServerId,
      scopes: [...this.scopes.values()],
    });
    this.domain = this.pool.addDomain('Domain', {
      // Unique over all of AWS, hence the account.
      cognitoDomain: { domainPrefix: `hms-${config.stage}-${Aws.ACCOUNT_ID}` },
    });
    for (const [groupName, granted] of Object.entries(roleScopes)) {
      new CfnUserPoolGroup(this, `Group-${groupName}`, {
        userPoolId: this.pool.userPoolId,
        groupName,
        description: granted.join(', '),
      });
    }
  }

  #pool(config: StageConfig): UserPool {
    return new UserPool(this, 'Users', {
      selfSignUpEnabled: false,
      signInAliases: { email: true },
      signInCaseSensitive: false,
      accountRecovery: AccountRecovery.EMAIL_ONLY,
      // Whose data someone sees is decided when the account is made, and never again.
      customAttributes: { tenant: new StringAttribute({ minLen: 1, maxLen: 64, mutable: false }) },
      mfa: Mfa.REQUIRED,
      mfaSecondFactor: { sms: false, otp: true },
      passwordPolicy: {
        minLength: 14,
        requireDigits: true,
        requireLowercase: true,
        requireUppercase: true,
        requireSymbols: true,
        tempPasswordValidity: Duration.days(3),
      },
      featurePlan: FeaturePlan.PLUS,
      standardThreatProtectionMode: StandardThreatProtectionMode.FULL_FUNCTION,
      deletionProtection: config.deletionProtection,
      removalPolicy: config.removalPolicy,
    });
  }
}
