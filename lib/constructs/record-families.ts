/**
 * What the partitions of the table hold, as patterns of IAM for `dynamodb:LeadingKeys`. Each begins with
 * a tenant, or with `#` where it is of all tenants. `test/infra/record-families.test.ts` holds them
 * against the keys that the code makes.
 */
export const recordFamilies = {
  /** Everything of one policy. */
  policies: '*#policy#*',
  services: '*#services',
  serviceHealth: '*#service-health',
  circuits: '*#circuits#*',
  /** How often is called. */
  limits: '*#limits',
  /** Which services are to be probed. */
  probes: '#probes',
  /** Which journals there are. */
  journals: '#tenants',
  /** The entries of a journal, of jobs too; and where the next one goes. */
  entries: '*#journal',
  heads: '*#state',
  jobs: '*#jobs-*#records',
  openJobs: '*#open-jobs#*',
  deadJobs: '*#dead-jobs',
} as const;

export type RecordFamily = keyof typeof recordFamilies;
