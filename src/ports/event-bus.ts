import type { Json } from '../core/values/json.ts';

/** A CloudEvents 1.0 event in JSON (https://github.com/cloudevents/spec), at most 200 KiB. */
export interface BusEvent {
  readonly specversion: '1.0';
  /** Unique with `source`: a consumer that has seen it drops the repeat. */
  readonly id: string;
  readonly source: string;
  /** Such as `policy.updated`. Subscribers select by it. */
  readonly type: string;
  readonly subject: string;
  /** RFC 3339. */
  readonly time: string;
  readonly datacontenttype: 'application/json';
  /**
   * Of the call that it comes of, where that is known
   * (https://github.com/cloudevents/spec/blob/main/cloudevents/extensions/distributed-tracing.md).
   */
  readonly traceparent?: string;
  readonly data: Json;
}

/**
 * Hands events to whoever subscribed.
 *
 * `publish` takes 1 to 100 events, and resolves once the bus has accepted all of them, in the
 * order given. When it throws (`Unavailable`), some may have been accepted: the caller repeats
 * from the first one that it is not sure of, and subscribers see repeats, never a gap. In what
 * order a bus hands events to subscribers is its own affair.
 */
export interface EventBus {
  publish(events: readonly BusEvent[]): Promise<void>;
}
