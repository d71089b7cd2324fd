/** Who is calling, as a verified token says. Nothing here comes from a header or a body. */
export interface Principal {
  readonly tenant: string;
  /** The client or user that acts: what the journal names. */
  readonly actor: string;
  /** Without the resource server's prefix: `read:policy`, not `hms/read:policy`. */
  readonly scopes: ReadonlySet<string>;
  /** Whom a canary sorts into its share: the legal subject, else the calling service. */
  readonly subject: string;
  readonly region: string | undefined;
  /** Unix time in ms from which on the token is no longer good. */
  readonly expiresAtMs: number;
}
