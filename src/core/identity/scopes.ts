/** The scopes of the resource server `hms`, and what each lets its holder do. */
export const scopes = {
  'read:policy': 'Read rules, snapshots, manifests and streams',
  'write:policy': 'Store, publish, promote and roll back',
  'approve:policy': 'Decide on approvals and tickets',
  'read:audit': 'Read the journal',
  'read:job': 'Read jobs, cases and claims',
  'write:job': 'Enqueue jobs and file claims',
  'work:job': 'Lease jobs and report on them',
  'write:event': 'Publish events',
  'write:report': 'Report alerts and receipts',
  'read:service': 'See services and their health',
  'write:service': 'Register services',
  'call:service': 'Call services through the gateway',
  'act:subject': 'Name the subject and region on whose behalf a call is made',
  admin: 'Everything',
} as const;

export type Scope = keyof typeof scopes;

/** What each role of a tenant may do. */
export const roleScopes = {
  admin: ['admin'],
  editor: [
    'read:policy',
    'write:policy',
    'read:job',
    'write:event',
    'read:service',
    'write:service',
  ],
  approver: ['read:policy', 'approve:policy', 'read:service'],
  auditor: ['read:policy', 'read:audit', 'read:job', 'read:service'],
  service: [
    'read:policy',
    'read:job',
    'write:job',
    'work:job',
    'write:event',
    'write:report',
    'read:service',
    'call:service',
  ],
} as const satisfies Record<string, readonly Scope[]>;

export type Role = keyof typeof roleScopes;

/** `admin` stands for every scope. */
export function permits(held: ReadonlySet<string>, wanted: Scope): boolean {
  return held.has(wanted) || held.has('admin');
}
