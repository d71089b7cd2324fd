import type { IUserPool } from 'aws-cdk-lib/aws-cognito';

/** Who issues the tokens, and how our code tells that it was them. */
export interface TokenIssuer {
  readonly pool: IUserPool;
  /** The `iss` of the tokens. */
  readonly issuer: string;
  readonly jwksUri: string;
  /** Where a client takes its token. */
  readonly tokenUrl: string;
}
