import { changeOperations } from '../../contract/operations/change-operations.ts';
import { addAttachment } from '../../core/attachments/attachments.ts';
import type { Deps } from '../../core/deps.ts';
import { digestName } from '../../core/packages/digest.ts';
import { InvalidRequest } from '../../core/errors/app-error.ts';
import type { Upload } from '../../core/policies/accept-package.ts';
import { rollbackPolicy } from '../../core/policies/rollback-policy.ts';
import { storeSnapshot } from '../../core/policies/store-snapshot.ts';
import { promoteOrStage, publishOrStage } from '../../core/rollouts/stage-rule.ts';
import { parseIfMatch } from '../etag.ts';
import { attachmentView, snapshotView } from '../policy-views.ts';
import { jsonReply, type Reply } from '../reply.ts';
import { originOf, type Route, route } from '../route.ts';
import { queuedReply } from '../run-views.ts';

type ChangeDeps = Pick<
  Deps,
  'records' | 'blobs' | 'clock' | 'ids' | 'signal' | 'workflows' | 'log'
>;

export function changeRoutes(deps: ChangeDeps): Route[] {
  return [publish(deps), store(deps), rollback(deps), promote(deps), attach(deps)];
}

function publish(deps: ChangeDeps): Route {
  return route(changeOperations.publishPolicy, async (call) => {
    const { params, headers, body, principal } = call;
    const channel = headers['x-channel'] ?? 'dev';
    const publication = {
      lane: { tenant: principal.tenant, id: params.id, channel },
      upload: uploadOf(body),
      guard: parseIfMatch(headers['if-match']),
      reason: headers['x-reason'] ?? null,
    };
    const staged = headers['x-rollout'] === 'staged';
    const movement = await publishOrStage(deps, originOf(call), publication, staged);
    if (movement.status === 'queued') return about(movement.snapshot, queuedReply(movement));
    const { status, snapshot } = movement;
    const location = `/api/policies/${params.id}/snapshots/${snapshot}`;
    return about(snapshot, jsonReply(status === 'unchanged' ? 200 : 201, movement, { location }));
  });
}

function store(deps: ChangeDeps): Route {
  return route(changeOperations.storeSnapshot, async (call) => {
    const { params, headers, body } = call;
    const reason = headers['x-reason'] ?? null;
    const stored = await storeSnapshot(deps, originOf(call), params.id, uploadOf(body), reason);
    const { status, record } = stored;
    const view = { ...snapshotView(params.id, record), status };
    const location = `/api/policies/${params.id}/snapshots/${record.snapshot}`;
    return about(record.snapshot, jsonReply(status === 'stored' ? 201 : 200, view, { location }));
  });
}

function rollback(deps: ChangeDeps): Route {
  return route(changeOperations.rollbackPolicy, async (call) => {
    const { params, headers, body, principal } = call;
    const channel = body?.channel ?? headers['x-channel'] ?? 'prod';
    const movement = await rollbackPolicy(deps, originOf(call), {
      lane: { tenant: principal.tenant, id: params.id, channel },
      snapshot: body?.snapshot ?? null,
      guard: parseIfMatch(headers['if-match']),
      reason: body?.reason ?? headers['x-reason'] ?? null,
    });
    return about(movement.snapshot, jsonReply(200, movement));
  });
}

function promote(deps: ChangeDeps): Route {
  return route(changeOperations.promotePolicy, async (call) => {
    const { params, headers, body, principal } = call;
    if (body.from === body.to) {
      throw new InvalidRequest('A channel is not promoted to itself.', [
        { pointer: '/to', detail: 'name another channel than `from`' },
      ]);
    }
    const movement = await promoteOrStage(deps, originOf(call), {
      from: body.from,
      to: { tenant: principal.tenant, id: params.id, channel: body.to },
      guard: parseIfMatch(headers['if-match']),
      reason: body.reason ?? headers['x-reason'] ?? null,
    });
    const reply = movement.status === 'queued' ? queuedReply(movement) : jsonReply(200, movement);
    return about(movement.snapshot, reply);
  });
}

function attach(deps: ChangeDeps): Route {
  return route(changeOperations.addAttachment, async (call) => {
    const { params, query, headers, body } = call;
    if (body.bytes.byteLength === 0) {
      throw new InvalidRequest('The document is empty.', [
        { pointer: '', detail: 'send its bytes' },
      ]);
    }
    const { status, attachment } = await addAttachment(deps, originOf(call), params.id, {
      name: query.name,
      contentType: mediaType(headers['content-type']),
      bytes: body.bytes,
      reason: headers['x-reason'] ?? null,
    });
    return jsonReply(
      status === 'stored' ? 201 : 200,
      { ...attachmentView(attachment), status },
      { location: `/api/policies/${params.id}/attachments/${digestName(attachment.digest)}` },
    );
  });
}

function about(snapshot: string, reply: Reply): Reply {
  return { ...reply, snapshot };
}

function uploadOf(body: { contentType: string; bytes: Uint8Array }): Upload {
  return { form: body.contentType === 'application/zip' ? 'zip' : 'yaml', bytes: body.bytes };
}

function mediaType(header: string | undefined): string {
  if (header === undefined) return 'application/octet-stream';
  if (/^[\w!#$&^.+-]+\/[\w!#$&^.+-]+(?:\s*;\s*[\w-]+=(?:[\w.-]+|"[\w .-]*"))*$/.test(header)) {
    return header;
  }
  throw new InvalidRequest('The content type is malformed.', [
    { pointer: 'header:content-type', detail: 'send one such as application/pdf' },
  ]);
}
