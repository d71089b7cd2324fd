/** Where a snapshot is read: its rule, or its package. */
export function snapshotPath(id: string, snapshot: string): string {
  return `/api/policies/${encodeURIComponent(id)}/snapshots/${encodeURIComponent(snapshot)}`;
}
