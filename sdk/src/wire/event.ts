/** An event to be published. */
export interface NewEvent {
  /** What happened, such as `voucher-submitted`. */
  readonly type: string;
  /** Any JSON, of at most 100 KiB. */
  readonly data: unknown;
  /** What it is about, such as `VOUCHER-7`. */
  readonly subject?: string | undefined;
  /** Chosen by the caller: a repeat with the same is no news. */
  readonly id?: string | undefined;
}

export interface AcceptedEvent {
  readonly id: string;
  readonly status: 'accepted';
}

/** What a service is sent: CloudEvents 1.0, in JSON. */
export interface DeliveredEvent {
  readonly specversion: '1.0';
  /** With `source`, unique: drop what you have seen. */
  readonly id: string;
  readonly source: 'hms.events' | 'hms.jobs';
  readonly type: string;
  readonly subject: string;
  readonly time: string;
  readonly datacontenttype: 'application/json';
  /** W3C trace context of the call that published it. */
  readonly traceparent?: string;
  readonly tenant: string;
  /** As it was published, or emitted by a job. */
  readonly data: unknown;
}

/** What `GET /rules/{rule}` answers. */
export interface NamedRule {
  readonly name: string;
  /** The field `value` of the rule. */
  readonly value: unknown;
  readonly policy: string;
  readonly version: string;
  readonly snapshot: string;
}
