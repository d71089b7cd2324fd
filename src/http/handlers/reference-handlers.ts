import { referenceOperations } from '../../contract/operations/reference-operations.ts';
import type { Deps } from '../../core/deps.ts';
import { digestName } from '../../core/packages/digest.ts';
import { listReferences } from '../../core/reference/list-references.ts';
import { putReference } from '../../core/reference/put-reference.ts';
import { bytesOfReference, readReference } from '../../core/reference/read-reference.ts';
import {
  referenceNamePattern,
  type ReferenceRecord,
} from '../../core/reference/reference-record.ts';
import { decodeCursor, encodeCursor } from '../cursor.ts';
import { ifNoneMatchNames } from '../etag.ts';
import { jsonReply } from '../reply.ts';
import { originOf, type Route, route } from '../route.ts';

type ReferenceDeps = Pick<Deps, 'records' | 'blobs' | 'clock' | 'ids' | 'signal'>;

/** The data that workers look things up in. */
export function referenceRoutes(deps: ReferenceDeps): Route[] {
  return [
    route(referenceOperations.putReference, async (call) => {
      const { params, headers, body } = call;
      const reason = headers['x-reason'] ?? null;
      const put = await putReference(deps, originOf(call), params.name, body.bytes, reason);
      return jsonReply(
        put.status === 'stored' ? 201 : 200,
        { ...referenceView(put.reference), status: put.status },
        { location: `/api/reference/${params.name}` },
      );
    }),
    route(referenceOperations.getReference, async ({ principal, params, headers }) => {
      const reference = await readReference(deps, principal.tenant, params.name);
      const tag = digestName(reference.digest);
      const common = {
        etag: `"${tag}"`,
        'cache-control': 'private, no-cache',
        vary: 'Authorization',
      };
      const known = headers['if-none-match'];
      if (known !== undefined && ifNoneMatchNames(known, tag)) {
        return { status: 304, headers: common, body: null };
      }
      return {
        status: 200,
        headers: { ...common, 'content-type': 'application/geo+json' },
        body: await bytesOfReference(deps, principal.tenant, reference),
      };
    }),
    route(referenceOperations.listReferences, async ({ principal, query }) => {
      const cursor = decodeCursor(query.cursor, referenceNamePattern);
      const page = await listReferences(deps, principal.tenant, cursor, query.limit);
      const items = page.items.map(referenceView);
      return jsonReply(200, { items, next: encodeCursor(page.next) });
    }),
  ];
}

function referenceView(reference: ReferenceRecord) {
  return { ...reference, digest: digestName(reference.digest) };
}
