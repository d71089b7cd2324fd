import { setting } from './aws-config.ts';

/** Over how many journals the jobs of a tenant are spread. Never change it for a stage that has jobs. */
export function awsJobJournals(): number {
  return Number(setting('HMS_JOB_JOURNALS'));
}
