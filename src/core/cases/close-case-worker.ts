import type { Clock } from '../../ports/clock.ts';
import { type DataSchema, defineWorker, type Worker } from '../jobs/define-worker.ts';
import { caseKey } from './case-keys.ts';
import { closeCase } from './close-case.ts';

/** The data of a job `case.close`. */
export interface CaseToClose {
  readonly case: string;
  /** What was done: one line. */
  readonly note?: string | undefined;
}

export interface CloseCaseParts {
  readonly schema: DataSchema<CaseToClose>;
  readonly clock: Pick<Clock, 'nowMs'>;
}

/**
 * Closes a case (`case.close`) when its crew is done: a new report from the same place is a new
 * case then. The result and the event `case.closed` say which, and when.
 */
export function closeCaseWorker({ schema, clock }: CloseCaseParts): Worker {
  return defineWorker<CaseToClose>({
    type: 'case.close',
    schema,
    validators: [
      {
        name: 'open',
        check: async ({ tenant, tx, data }) => {
          const record = await tx.get(caseKey(tenant, data.case));
          if (record === undefined) return `there is no ${data.case}`;
          return record.closed === null ? null : `${data.case} is closed since ${record.closed.at}`;
        },
      },
    ],
    handler: async ({ tenant, job, data, tx }) => {
      const closedAt = new Date(clock.nowMs()).toISOString();
      const note = data.note ?? null;
      const closing = { at: closedAt, by: job.subject, note, job: job.id };
      await closeCase(tx, tenant, data.case, closing);
      const told = { case: data.case, closedAt };
      tx.emit({ type: 'case.closed', subject: data.case, data: { ...told, note } });
      return told;
    },
  });
}
