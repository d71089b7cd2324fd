/**
 * The types of job that this service has workers for. All others are for workers outside, who lease
 * them.
 */
export const workerTypes = ['pothole.report', 'case.close', 'event.deliver'] as const;

export type WorkerType = (typeof workerTypes)[number];
