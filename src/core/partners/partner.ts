/** Where a partner wants its notices. Whatever is secret about it is in the secret store. */
export type PartnerTarget =
  | {
      readonly kind: 'webhook';
      /** `https:`; `http:` only where private targets are allowed. */
      readonly url: string;
    }
  | { readonly kind: 'email'; readonly to: readonly string[] }
  | {
      readonly kind: 'sftp';
      readonly host: string;
      readonly port: number;
      readonly username: string;
      /** OpenSSH's fingerprint of the host's key: `SHA256:` and base64 without padding. */
      readonly hostKey: string;
      /** Where files go, such as `/incoming`. */
      readonly folder: string;
    };

/**
 * Somebody outside who is told of rules that changed. The secret of a webhook is the key it is
 * signed with (`whsec_` and base64, Standard Webhooks); of SFTP, a private key in PEM or OpenSSH
 * form, or a password.
 */
export interface Partner {
  readonly name: string;
  readonly target: PartnerTarget;
  readonly createdAt: string;
  readonly createdBy: string;
  readonly changedAt: string;
}
