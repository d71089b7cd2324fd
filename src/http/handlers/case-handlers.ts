import { caseOperations } from '../../contract/operations/case-operations.ts';
import type { CaseRecord } from '../../core/cases/case-record.ts';
import { casesNear, readCase } from '../../core/cases/find-cases.ts';
import type { Deps } from '../../core/deps.ts';
import { digestName } from '../../core/packages/digest.ts';
import { jsonReply } from '../reply.ts';
import { type Route, route } from '../route.ts';

/** The cases that jobs have opened. */
export function caseRoutes(deps: Pick<Deps, 'records'>): Route[] {
  return [
    route(caseOperations.findCases, async ({ principal, query }) => {
      const { near, radius, limit } = query;
      const { items, more } = await casesNear(deps, principal.tenant, near, radius, limit);
      const shown = items.map((each) =>
        Object.assign({}, each, { distanceM: Math.round(each.distanceM) }),
      );
      return jsonReply(200, { items: shown, more });
    }),
    route(caseOperations.getCase, async ({ principal, params }) =>
      jsonReply(200, caseView(await readCase(deps, principal.tenant, params.case))),
    ),
  ];
}

function caseView(record: CaseRecord) {
  const references = record.references.map(({ name, digest }) => ({
    name,
    digest: digestName(digest),
  }));
  return { ...record, status: record.closed === null ? 'open' : 'closed', references };
}
