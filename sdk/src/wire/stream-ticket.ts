/** What `POST /api/stream/tickets` answers. */
export interface StreamTicket {
  /** Good for one connection. */
  readonly ticket: string;
  /** Where to connect, with the ticket in it. */
  readonly url: string;
  readonly expiresAt: string;
}
