import { queryOperations } from '../../contract/operations/query-operations.ts';
import { listAttachments, readAttachment } from '../../core/attachments/attachments.ts';
import type { Deps } from '../../core/deps.ts';
import { NotFound } from '../../core/errors/app-error.ts';
import { jobJournal } from '../../core/jobs/job-keys.ts';
import { searchJournal } from '../../core/journal/read-journal.ts';
import { diffRules } from '../../core/policies/diff-rules.ts';
import { listPolicies } from '../../core/policies/list-policies.ts';
import { listSnapshots } from '../../core/policies/list-snapshots.ts';
import { readHistory } from '../../core/policies/read-history.ts';
import { decodeCursor, encodeCursor } from '../cursor.ts';
import { type ManifestReplies, manifestReplies } from '../manifest-replies.ts';
import {
  attachmentView,
  historyView,
  journalView,
  snapshotView,
  summaryView,
} from '../policy-views.ts';
import { readerOf } from '../reader-of.ts';
import { jsonReply } from '../reply.ts';
import { type Route, route } from '../route.ts';
import { snapshotReply } from '../snapshot-reply.ts';

type QueryDeps = Pick<Deps, 'records' | 'blobs' | 'clock' | 'jobJournals'> & {
  /** Those that are shared with who answers before the app. */
  readonly manifests?: ManifestReplies;
};

const idShape = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;
const indexShape = /^\d{1,12}$/;
const timelineShape = /^\d{4}-[\d:.TZ-]{16,22}#\d{12}$/;

export function queryRoutes(deps: QueryDeps): Route[] {
  return [
    ...policyLists(deps),
    manifest(deps),
    diff(deps),
    snapshot(deps),
    ...attachments(deps),
    audit(deps),
  ];
}

function policyLists(deps: QueryDeps): Route[] {
  return [
    route(queryOperations.listPolicies, async ({ principal, query }) => {
      const cursor = decodeCursor(query.cursor, idShape);
      const page = await listPolicies(deps, principal.tenant, cursor, query.limit);
      const nowMs = deps.clock.nowMs();
      const items = page.items.map((summary) => summaryView(summary, nowMs));
      return jsonReply(200, { items, next: encodeCursor(page.next) });
    }),
    route(queryOperations.getHistory, async ({ principal, params, query }) => {
      const { channel, limit } = query;
      const cursor = decodeCursor(query.cursor, timelineShape);
      const page = await readHistory(deps, principal.tenant, params.id, channel, cursor, limit);
      return jsonReply(200, { items: page.items.map(historyView), next: encodeCursor(page.next) });
    }),
    route(queryOperations.listSnapshots, async ({ principal, params, query }) => {
      const cursor = decodeCursor(query.cursor, idShape);
      const page = await listSnapshots(deps, principal.tenant, params.id, cursor, query.limit);
      const items = page.items.map((record) => snapshotView(params.id, record));
      return jsonReply(200, { items, next: encodeCursor(page.next) });
    }),
  ];
}

function manifest(deps: QueryDeps): Route {
  const { manifests = manifestReplies(deps) } = deps;
  return route(queryOperations.getManifest, async ({ principal, query, headers }) => {
    const channel = query.channel ?? headers['x-channel'] ?? 'prod';
    const { limit } = query;
    const cursor = decodeCursor(query.cursor, idShape);
    const { tenant } = principal;
    const reader = readerOf(principal, headers);
    const question = { tenant, channel, reader, cursor, limit };
    return manifests.reply(question, headers['if-none-match']);
  });
}

function diff(deps: QueryDeps): Route {
  return route(queryOperations.diffRules, async ({ principal, params, query }) => {
    const found = await diffRules(deps, principal.tenant, params.id, query.from, query.to);
    const { from, to, changes } = found;
    return jsonReply(200, {
      from: { snapshot: from.snapshot, version: from.version },
      to: { snapshot: to.snapshot, version: to.version },
      changes,
    });
  });
}

function snapshot(deps: QueryDeps): Route {
  return route(queryOperations.getSnapshot, async ({ principal, params, headers }) =>
    snapshotReply(deps, principal.tenant, params.id, params.snapshot, headers),
  );
}

function attachments(deps: QueryDeps): Route[] {
  return [
    route(queryOperations.listAttachments, async ({ principal, params, query }) => {
      const position = decodeCursor(query.cursor, indexShape);
      const cursor = position === undefined ? undefined : Number(position);
      const page = await listAttachments(deps, principal.tenant, params.id, cursor, query.limit);
      const items = page.items.map(attachmentView);
      return jsonReply(200, { items, next: encodeCursor(page.next) });
    }),
    route(queryOperations.getAttachment, async ({ principal, params }) => {
      const digest = params.digest.slice('sha256:'.length);
      const found = await readAttachment(deps, principal.tenant, params.id, digest);
      const { name, contentType } = found.attachment;
      return {
        status: 200,
        headers: {
          'content-type': contentType,
          // What others uploaded is never shown as a page of ours.
          'content-disposition': `attachment; filename="${name}"`,
          'content-security-policy': 'sandbox',
          'cache-control': 'private, max-age=31536000, immutable',
          etag: `"${params.digest}"`,
        },
        body: found.bytes,
      };
    }),
  ];
}

function audit(deps: QueryDeps): Route {
  return route(queryOperations.getAudit, async ({ principal, query }) => {
    const { log, actor, action, subject, requestId, order, limit, since, until } = query;
    const journal = journalNamed(deps, principal.tenant, log);
    const position = decodeCursor(query.cursor, indexShape);
    const from = position === undefined ? undefined : Number(position);
    const filter = {
      actor,
      action,
      subject,
      requestId,
      order,
      sinceMs: since === undefined ? undefined : Date.parse(since),
      untilMs: until === undefined ? undefined : Date.parse(until),
    };
    const page = await searchJournal(deps, journal, filter, from, limit);
    const next = encodeCursor(page.next === null ? null : String(page.next));
    return jsonReply(200, { items: page.items.map(journalView), next });
  });
}

/** The tenant's journal, or one of those of its jobs. */
function journalNamed(
  { jobJournals }: Pick<Deps, 'jobJournals'>,
  tenant: string,
  log: string | undefined,
): string {
  if (log === undefined) return tenant;
  const number = Number(log.slice('jobs-'.length));
  if (number < jobJournals) return jobJournal(tenant, number);
  throw new NotFound(`The logs of jobs go from jobs-0 to jobs-${jobJournals - 1}.`);
}
