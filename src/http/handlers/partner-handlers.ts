import type * as z from 'zod';
import { partnerOperations } from '../../contract/operations/partner-operations.ts';
import type { newPartner } from '../../contract/partner-schemas.ts';
import type { Deps } from '../../core/deps.ts';
import { InvalidRequest } from '../../core/errors/app-error.ts';
import { partnerNamePattern } from '../../core/partners/check-partner.ts';
import { listDeliveries, redeliver } from '../../core/partners/deliveries.ts';
import {
  deletePartner,
  getPartner,
  listPartners,
  type NewPartner,
  putPartner,
} from '../../core/partners/partners.ts';
import { requireRun } from '../../core/rollouts/read-situation.ts';
import { decodeCursor, encodeCursor } from '../cursor.ts';
import { deliveryView, partnerView } from '../partner-views.ts';
import { jsonReply } from '../reply.ts';
import { originOf, type Route, route } from '../route.ts';

type PartnerDeps = Pick<Deps, 'records' | 'clock' | 'ids' | 'signal' | 'secrets'>;

/** Who is told of rollouts, and whether they have been. */
export function partnerRoutes(deps: PartnerDeps): Route[] {
  return [...partners(deps), put(deps), remove(deps), ...deliveries(deps)];
}

function partners(deps: PartnerDeps): Route[] {
  return [
    route(partnerOperations.listPartners, async ({ principal, query }) => {
      const cursor = decodeCursor(query.cursor, partnerNamePattern);
      const page = await listPartners(deps, principal.tenant, cursor, query.limit);
      return jsonReply(200, { items: page.items.map(partnerView), next: encodeCursor(page.next) });
    }),
    route(partnerOperations.getPartner, async ({ principal, params }) =>
      jsonReply(200, partnerView(await getPartner(deps, principal.tenant, params.name))),
    ),
  ];
}

function put(deps: PartnerDeps): Route {
  return route(partnerOperations.putPartner, async (call) => {
    const { name } = call.params;
    const given = partnerOf(call.body);
    const done = await putPartner(deps, originOf(call), name, given).catch((error: unknown) => {
      throw error instanceof InvalidRequest ? pointedAtBody(error, call.body) : error;
    });
    return jsonReply(done.status === 'created' ? 201 : 200, partnerView(done.partner), {
      location: `/api/partners/${name}`,
    });
  });
}

type Body = z.output<typeof newPartner>;

function partnerOf(body: Body): NewPartner {
  if (body.kind === 'email') return { target: body };
  if (body.kind === 'webhook') {
    const { secret, ...target } = body;
    return { target, secret };
  }
  const { privateKey, password, ...target } = body;
  return { target, secret: privateKey ?? password };
}

/** The same findings, where the caller wrote what they are about. */
function pointedAtBody(error: InvalidRequest, body: Body): InvalidRequest {
  const ofSftp = 'privateKey' in body ? '/privateKey' : '/password';
  const secret = body.kind === 'sftp' ? ofSftp : '/secret';
  const details = error.details.map(({ pointer, detail }) => ({
    pointer: pointer === '/secret' ? secret : pointer.replace(/^\/target/, ''),
    detail,
  }));
  return new InvalidRequest(error.message, details);
}

function remove(deps: PartnerDeps): Route {
  return route(partnerOperations.deletePartner, async (call) => {
    await deletePartner(deps, originOf(call), call.params.name);
    return { status: 204, headers: { 'cache-control': 'no-store' }, body: null };
  });
}

function deliveries(deps: PartnerDeps): Route[] {
  return [
    route(partnerOperations.listDeliveries, async ({ principal, params: { run } }) => {
      const { tenant } = principal;
      await requireRun(deps, { tenant, run });
      const items = (await listDeliveries(deps, tenant, run)).map(deliveryView);
      return jsonReply(200, { items, next: null });
    }),
    route(partnerOperations.redeliver, async (call) => {
      const begun = await redeliver(deps, originOf(call), call.params.delivery);
      return jsonReply(202, deliveryView(begun));
    }),
  ];
}
