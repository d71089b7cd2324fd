/**
 * Sends to WebSockets that somebody else holds open, by the ids that it gave them.
 *
 * Errors of both: `Unavailable` when there was no answer; it may or may not have been done then.
 */
export interface ConnectionPoster {
  /**
   * Sends one text message, of at most 128 KiB as UTF-8. `'sent'`: it is on its way, and comes before
   * all that is posted to the connection after this resolved; a client that breaks off may have
   * missed it. `'gone'`: the connection is closed, or there never was one.
   */
  post(connection: string, text: string): Promise<'sent' | 'gone'>;
  /** Closes it, after what was posted. No error when it is gone. */
  close(connection: string): Promise<void>;
}
