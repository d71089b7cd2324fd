import { claimFiling } from '../../contract/claim-schemas.ts';
import { claimOperations } from '../../contract/operations/claim-operations.ts';
import type { Claim } from '../../core/claims/claim-record.ts';
import { fileClaim } from '../../core/claims/file-claim.ts';
import { listClaims } from '../../core/claims/list-claims.ts';
import { openUpload } from '../../core/claims/open-upload.ts';
import { readClaim, readClaimFile } from '../../core/claims/read-claim.ts';
import type { Deps } from '../../core/deps.ts';
import { InvalidRequest, TooLarge } from '../../core/errors/app-error.ts';
import type { JobDeps } from '../../core/jobs/change-job.ts';
import { decodeUtf8 } from '../../core/packages/decode-utf8.ts';
import { digestHex, digestName } from '../../core/packages/digest.ts';
import { parseStrictJson } from '../../core/values/strict-json.ts';
import { decodeCursor, encodeCursor } from '../cursor.ts';
import { parsePart } from '../read-request.ts';
import { readerOf } from '../reader-of.ts';
import { jsonReply } from '../reply.ts';
import { type Call, originOf, type Route, route } from '../route.ts';

type ClaimDeps = JobDeps & Pick<Deps, 'blobs' | 'uploads'>;

const jobIdShape = /^[A-Za-z0-9-]{1,64}$/;
const maxJsonBytes = 4096;
const maxJsonDepth = 4;

/** Claims: filed here, reviewed by workers outside, who lease their jobs. */
export function claimRoutes(deps: ClaimDeps): Route[] {
  return [
    filing(deps),
    upload(deps),
    route(claimOperations.listClaims, async ({ principal, query }) => {
      const cursor = decodeCursor(query.cursor, jobIdShape);
      const page = await listClaims(deps, principal.tenant, cursor, query.limit);
      return jsonReply(200, { items: page.items.map(claimView), next: encodeCursor(page.next) });
    }),
    route(claimOperations.getClaim, async ({ principal, params }) =>
      jsonReply(200, claimView(await readClaim(deps, principal.tenant, params.claim))),
    ),
    file(deps),
  ];
}

function filing(deps: ClaimDeps): Route {
  return route(claimOperations.fileClaim, async (call) => {
    const { principal, headers } = call;
    const { subject: claimant, region } = readerOf(principal, headers);
    const filed = await fileClaim(deps, originOf(call), {
      ...filedWith(call),
      claimant,
      region,
      idempotencyKey: headers['idempotency-key'] ?? null,
      reason: headers['x-reason'] ?? null,
    });
    const { id, status, isRepeat } = filed;
    const told: Record<string, string> = { location: `/claims/${id}` };
    if (isRepeat) told['idempotent-replayed'] = 'true';
    return jsonReply(202, { claim_id: id, status }, told);
  });
}

/** The file and what it is about: the body is the one with a query, or JSON of both. */
function filedWith({ body, query }: Call<typeof claimOperations.fileClaim>) {
  const { contentType, bytes } = body;
  if (contentType !== 'application/json') {
    return { file: { bytes }, title: query.title ?? null, kind: query.kind ?? null };
  }
  const [given] = Object.keys(query);
  if (given !== undefined) {
    throw new InvalidRequest('With JSON, everything is in the body.', [
      { pointer: `query:${given}`, detail: 'put it into the body' },
    ]);
  }
  const { file: name, title = null, kind = null } = parseFiling(bytes);
  return { file: { digest: digestHex(name) }, title, kind };
}

function parseFiling(bytes: Uint8Array) {
  if (bytes.byteLength > maxJsonBytes) {
    throw new TooLarge(`The JSON is larger than ${maxJsonBytes} bytes.`);
  }
  const text = decodeUtf8(bytes);
  const parsed =
    text === undefined ? { problem: 'is not UTF-8' } : parseStrictJson(text, maxJsonDepth);
  if ('value' in parsed) return parsePart(claimFiling, parsed.value, 'body');
  throw new InvalidRequest('The body is not acceptable JSON.', [
    { pointer: '', detail: parsed.problem },
  ]);
}

function upload(deps: ClaimDeps): Route {
  return route(claimOperations.openUpload, async ({ principal, body }) => {
    const { sha256: digest, sizeBytes } = body;
    const opened = await openUpload(deps, principal.tenant, { digest, sizeBytes });
    return jsonReply(201, { upload: opened, file: digestName(digest) });
  });
}

function file(deps: ClaimDeps): Route {
  return route(claimOperations.getClaimFile, async ({ principal, params }) => {
    const { claim, bytes } = await readClaimFile(deps, principal.tenant, params.claim);
    return {
      status: 200,
      headers: {
        'content-type': 'application/pdf',
        // What others filed is never shown as a page of ours.
        'content-disposition': `attachment; filename="${claim.id}.pdf"`,
        'content-security-policy': 'sandbox',
        'cache-control': 'private, max-age=31536000, immutable',
        etag: `"${digestName(claim.digest)}"`,
      },
      body: bytes,
    };
  });
}

function claimView({ id, status, decision, reason, digest, ...claim }: Claim) {
  return { claim_id: id, status, decision, reason, file: digestName(digest), ...claim };
}
