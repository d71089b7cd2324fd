import { roleScopes } from './scopes.ts';

/** How a scope of our resource server is written in a token: `hms/read:policy`. */
export const scopePrefix = 'hms/';

/** What a tenant may be called: in the `tenant` claim, and so in every key. */
export const tenantPattern = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;

/**
 * What we read of a Cognito PreTokenGeneration event, V3_0. `aws-lambda` types that version for
 * client credentials alone; a pool set to it sends the events of users in the same shape.
 * https://docs.aws.amazon.com/cognito/latest/developerguide/user-pool-lambda-pre-token-generation.html
 */
export interface PreTokenEvent {
  readonly triggerSource: string;
  readonly callerContext: { readonly clientId: string };
  readonly request: {
    readonly userAttributes?: Readonly<Record<string, string>> | null;
    readonly groupConfiguration?: { readonly groupsToOverride?: readonly string[] | null } | null;
    readonly scopes?: readonly string[] | null;
  };
}

/** The trigger's `response`. Its arrays are mutable because `aws-lambda` has them so. */
export interface PreTokenResponse {
  claimsAndScopeOverrideDetails: {
    accessTokenGeneration: {
      claimsToAddOrOverride: Record<string, string>;
      scopesToAdd: string[];
      scopesToSuppress: string[];
    };
  };
}

/**
 * What Cognito is to change in an access token before it signs it.
 *
 * A client's tenant is the one `tenants` (client id -> tenant) gives it, and its scopes are those
 * Cognito granted. A user's tenant is the attribute `custom:tenant`, and of our scopes the user
 * gets exactly those of its groups, whatever was asked for. Who has no tenant gets no `tenant`
 * claim, and our verifier refuses that token.
 *
 * `custom:tenant` is as good as the pool makes it: immutable, writable by no app client, and no
 * self-service sign-up.
 */
export function cognitoClaims(
  event: PreTokenEvent,
  tenants: ReadonlyMap<string, string>,
): PreTokenResponse {
  if (event.triggerSource === 'TokenGeneration_ClientCredentials') {
    return override(tenants.get(event.callerContext.clientId), [], []);
  }
  const asked = event.request.scopes ?? [];
  const granted = groupScopes(event.request.groupConfiguration?.groupsToOverride ?? []);
  return override(
    event.request.userAttributes?.['custom:tenant'],
    [...granted].filter((scope) => !asked.includes(scope)),
    asked.filter((scope) => scope.startsWith(scopePrefix) && !granted.has(scope)),
  );
}

function groupScopes(groups: readonly string[]): ReadonlySet<string> {
  const roles: Readonly<Record<string, readonly string[]>> = roleScopes;
  // The names of groups are the administrator's: `constructor` is not a role.
  const held = groups.flatMap((group) => (Object.hasOwn(roles, group) ? (roles[group] ?? []) : []));
  return new Set(held.map((scope) => scopePrefix + scope));
}

function override(
  tenant: string | undefined,
  scopesToAdd: string[],
  scopesToSuppress: string[],
): PreTokenResponse {
  const claimsToAddOrOverride: Record<string, string> = tenant === undefined ? {} : { tenant };
  return {
    claimsAndScopeOverrideDetails: {
      accessTokenGeneration: { claimsToAddOrOverride, scopesToAdd, scopesToSuppress },
    },
  };
}
