import type { JobChange, JobMessage } from '../wire/job.ts';

/** One step of a job, or what it emitted, for people. */
export function jobLine(message: JobMessage): string {
  const { at, job, action } = message;
  if (!isStep(message)) {
    return `${at} ${action} ${message.subject} ${JSON.stringify(message.data)} (job ${job})`;
  }
  const what = action.replace(/^job\./, '');
  return `${at} ${job} ${message.type} ${what}${detailOf(message)}`;
}

export function isStep(message: JobMessage): message is JobChange {
  return message.action.startsWith('job.');
}

function detailOf(step: JobChange): string {
  const { progress, error, result, nextAttemptAt, worker, attempt, reason } = step;
  if (progress !== undefined) {
    return ` ${progress.percent}%${progress.note === null ? '' : ` ${progress.note}`}`;
  }
  if (error !== undefined) {
    const by = error.validator === null ? error.code : error.validator;
    const again = nextAttemptAt === undefined ? '' : `; again at ${nextAttemptAt}`;
    return `: ${error.message} (${by})${again}`;
  }
  if (result !== undefined && result !== null) return ` ${JSON.stringify(result)}`;
  if (worker !== undefined) return ` by ${worker}, attempt ${attempt}`;
  return reason === null ? '' : ` (${reason})`;
}
