import { InvalidRequest } from '../core/errors/app-error.ts';
import type { SnapshotGuard } from '../core/policies/snapshot-guard.ts';

const maxTags = 100;

/**
 * Whether an `If-None-Match` header names the tag: quoted, weak (`W/"…"`), in a list, as `*`, or
 * bare, as older clients send it (RFC 9110, 13.1.2, and weak comparison).
 */
export function ifNoneMatchNames(header: string, tag: string): boolean {
  // What nearly every caller sends, before anything is split.
  if (header.length === tag.length + 2 && header.startsWith('"') && header.includes(tag)) {
    return true;
  }
  if (header.trim() === '*') return true;
  return header.split(',', maxTags).some((each) => bare(each) === tag);
}

/** The snapshots that an `If-Match` header accepts; null without one. Weak tags never match. */
export function parseIfMatch(header: string | undefined): SnapshotGuard | null {
  if (header === undefined) return null;
  if (header.trim() === '*') return 'any';
  const tags = header.split(',', maxTags).map((each) => each.trim());
  if (tags.every((tag) => tag === '')) {
    throw new InvalidRequest('If-Match names no snapshot.', [
      { pointer: 'header:if-match', detail: 'send the ETag of the rule you looked at, or *' },
    ]);
  }
  return tags.filter((tag) => !tag.startsWith('W/')).map(bare);
}

function bare(tag: string): string {
  const text = tag.trim();
  const strong = text.startsWith('W/') ? text.slice(2) : text;
  return strong.startsWith('"') && strong.endsWith('"') && strong.length >= 2
    ? strong.slice(1, -1)
    : strong;
}
