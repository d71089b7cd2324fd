import { reportOperations } from '../../contract/operations/report-operations.ts';
import type { Deps } from '../../core/deps.ts';
import type { Principal } from '../../core/identity/principal.ts';
import { readConvergence } from '../../core/telemetry/convergence.ts';
import { reportAlert, type Reporter } from '../../core/telemetry/report-alert.ts';
import {
  type Receipt,
  type ReceiptAnswer,
  reportReceipts,
} from '../../core/telemetry/report-receipts.ts';
import { type ReaderHeaders, readerOf } from '../reader-of.ts';
import { jsonReply } from '../reply.ts';
import { type Route, route } from '../route.ts';

type ReportDeps = Pick<Deps, 'records' | 'clock' | 'ids'>;

/** What services tell of the rules that they run, and what comes of it. */
export function reportRoutes(deps: ReportDeps): Route[] {
  return [
    route(reportOperations.reportAlert, async ({ principal, headers, body }) => {
      const told = await reportAlert(deps, reporterOf(principal, headers), body);
      return { ...jsonReply(202, told), snapshot: body.snapshot };
    }),
    receipts(deps),
    route(reportOperations.getConvergence, async ({ principal, params: { id }, query }) => {
      const { channel } = query;
      const found = await readConvergence(deps, principal.tenant, id, channel);
      return jsonReply(200, { id, channel, ...found });
    }),
  ];
}

function receipts(deps: ReportDeps): Route {
  return route(reportOperations.reportReceipts, async ({ principal, headers, body }) => {
    const { reportId = null } = body;
    const given = 'receipts' in body ? body.receipts : [body];
    const reporter = reporterOf(principal, headers);
    const answers = await reportReceipts(deps, reporter, given, reportId);
    const [only] = answers;
    // Of a single one, the call itself tells.
    if (!('receipts' in body) && only?.status === 'failed') throw only.error;
    const told = given.flatMap((receipt, place) => {
      const answer = answers[place];
      return answer === undefined ? [] : [answerView(receipt, answer)];
    });
    const reply = jsonReply(200, { receipts: told });
    return 'receipts' in body ? reply : { ...reply, snapshot: body.snapshot };
  });
}

function reporterOf(principal: Principal, headers: ReaderHeaders): Reporter {
  return { tenant: principal.tenant, subject: readerOf(principal, headers).subject };
}

function answerView({ policy, channel, snapshot }: Receipt, answer: ReceiptAnswer) {
  const about = { policy, channel, snapshot };
  if (answer.status !== 'failed') return { ...about, ...answer };
  const { code, message } = answer.error;
  return { ...about, status: answer.status, code, detail: message };
}
