import type { Server } from 'node:http';
import { jsonObject, jsonService, mailAddress, Refused, serve, variable } from '../json-service.ts';
import { hmsClient, type HmsClient } from './hms-client.ts';

/**
 * Who may have a housing voucher. `POST /check` with `income` and `email` answers
 * `{eligible, limit}` by the rule `MAX_INCOME` in force at that moment; whoever is eligible has
 * applied with it, and `voucher-submitted` says so. An answer that is no 2xx: nobody has.
 */
export function eligibilityService(hms: HmsClient): Server {
  return jsonService({
    async 'POST /check'({ body }) {
      const { income, email: given } = jsonObject(body);
      if (typeof income !== 'number' || income < 0) {
        throw new Refused(400, 'income must be a number, of dollars a year.');
      }
      const email = mailAddress(given);
      const limit = await hms.rule('MAX_INCOME');
      if (typeof limit !== 'number') throw new Refused(503, 'MAX_INCOME is not a number.');
      const eligible = income <= limit;
      // Nothing that the receipt does not need: an income is nobody else's business.
      if (eligible) await hms.publish('voucher-submitted', { email, limit });
      return { status: 200, body: { eligible, limit } };
    },
  });
}

if (import.meta.main) {
  const hms = hmsClient({
    url: variable('HMS_URL'),
    clientId: variable('HMS_CLIENT_ID'),
    clientSecret: variable('HMS_CLIENT_SECRET'),
  });
  serve(eligibilityService(hms));
}
