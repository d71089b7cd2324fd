/** The type of the jobs that bring events to services. */
export const eventDeliver = 'event.deliver';

/**
 * `data` of such a job: which event goes to which service. It names the event and does not hold it,
 * so that nobody can have one delivered that was not published.
 */
export interface EventDelivery {
  readonly service: string;
  readonly type: string;
  /** Its id, as the bus has it. */
  readonly event: string;
  /** The journal that has it, among those of the tenant, as `GET /api/audit` calls it: `jobs-3`. */
  readonly log: string;
  readonly index: number;
}

export function logOfJournal(journal: string): string {
  return journal.slice(journal.indexOf('#') + 1);
}

export function journalOfLog(tenant: string, log: string): string {
  return `${tenant}#${log}`;
}
