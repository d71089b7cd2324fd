import type { PartnerTarget } from '../core/partners/partner.ts';

/** One message to a partner. Every attempt to deliver it is made with the same one. */
export interface Notice {
  /** Unique, `[A-Za-z0-9_-]{1,128}`: by it the partner tells a repeat from news. */
  readonly id: string;
  /** Unix seconds of this attempt. */
  readonly timestampS: number;
  /** Such as `policy.released`. */
  readonly type: string;
  /** One line for people: the subject of a mail. */
  readonly title: string;
  /** For people, plain text with line breaks. */
  readonly text: string;
  /** The message itself, JSON in UTF-8, at most 200 KiB; its bytes are what is signed. */
  readonly body: string;
  /** Where this attempt stands in a trace; for those who are told over HTTP. */
  readonly traceparent?: string;
}

/**
 * How an attempt ended. `delivered`: the partner has it; `acked`: and says that it acts on it.
 * `gone`: the partner wants no more of them (HTTP 410). `failed`: try again later.
 * `detail` is for people, one line of at most 300 characters; never a secret, never what the
 * partner's server sent beyond its status.
 */
export interface Attempt {
  readonly outcome: 'delivered' | 'acked' | 'gone' | 'failed';
  readonly detail: string;
}

/**
 * Hands a notice to a partner: one attempt, ended after 20 s at the latest. It never throws for
 * what the partner or the network does; that is an `Attempt`.
 */
export interface PartnerTransport {
  send(target: PartnerTarget, secret: string | undefined, notice: Notice): Promise<Attempt>;
}
