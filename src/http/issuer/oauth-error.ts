/** The codes of RFC 6749 section 5.2 that we use. */
type OAuthErrorCode =
  | 'invalid_request'
  | 'invalid_client'
  | 'invalid_scope'
  | 'unsupported_grant_type';

/** Why no token is issued. The message is shown to the client: neither `"` nor `\` may be in it. */
export class OAuthError extends Error {
  override readonly name = 'OAuthError';
  readonly code: OAuthErrorCode;
  readonly status: 400 | 401 | 405 | 413;

  constructor(code: OAuthErrorCode, message: string, status?: 405 | 413) {
    super(message);
    this.code = code;
    this.status = status ?? (code === 'invalid_client' ? 401 : 400);
  }
}
