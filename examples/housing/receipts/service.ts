import type { Server } from 'node:http';
import { Webhook } from 'standardwebhooks';
import {
  type Call,
  jsonObject,
  jsonService,
  mailAddress,
  Refused,
  serve,
  variable,
} from '../json-service.ts';
import { type MailReceipt, receiptMailer } from './mail-receipt.ts';
import { onceById } from './once-by-id.ts';

/**
 * A receipt by mail for each `voucher-submitted`. An event may come twice: it is mailed once. What
 * is answered 503 comes again.
 */
export function receiptsService(secret: string, mail: MailReceipt): Server {
  const webhook = new Webhook(secret);
  const once = onceById();
  return jsonService({
    async 'POST /events'(call) {
      verify(webhook, call);
      const { type, data } = jsonObject(call.body);
      if (type !== 'voucher-submitted') return { status: 204 };
      const { email, limit } = jsonObject(JSON.stringify(data));
      if (typeof limit !== 'number') throw new Refused(400, 'limit must be a number.');
      const receipt = {
        eventId: String(call.headers['webhook-id']),
        email: mailAddress(email),
        limit,
      };
      try {
        await once(receipt.eventId, () => mail(receipt));
      } catch (error) {
        throw new Refused(503, 'The mail server did not take it.', { cause: error });
      }
      return { status: 204 };
    },
  });
}

function verify(webhook: Webhook, { headers, body }: Call): void {
  try {
    webhook.verify(body, headers, { jsonParse: false });
  } catch (error) {
    throw new Refused(401, 'The event is not signed with our secret.', { cause: error });
  }
}

if (import.meta.main) {
  const from = process.env['RECEIPTS_FROM'] ?? 'vouchers@housing.example';
  const mail = receiptMailer(variable('SMTP_URL'), from);
  serve(receiptsService(variable('HMS_SERVICE_SECRET'), mail));
}
