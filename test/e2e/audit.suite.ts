import { describe, expect, it } from 'vitest';
import type * as z from 'zod';
import type { journalItem } from '../../src/contract/journal-schemas.ts';
import { changeOperations } from '../../src/contract/operations/change-operations.ts';
import { queryOperations } from '../../src/contract/operations/query-operations.ts';
import { publishRule, useCast } from '../support/cast.ts';
import { ruleYaml, uniqueId } from '../support/policy-documents.ts';
import type { StartService } from '../support/service.ts';
import { clientFor } from '../support/service-client.ts';
import { pages } from './lists.suite.ts';

const { getAudit } = queryOperations;
type Entry = z.output<typeof journalItem>;

export function describeAudit(name: string, start: StartService): void {
  describe(`${name}: the journal`, () => {
    const cast = useCast(start);

    it('has every change, whole and in order, with who did what in which request', async () => {
      const id = uniqueId('journaled');
      const requestId = uniqueId('request');
      const { body: first } = await publishRule(cast.editor, id, {}, { 'x-request-id': requestId });
      await cast.editor.call(changeOperations.storeSnapshot, {
        params: { id },
        bytes: ruleYaml(id, { version: '2.0.0' }),
        contentType: 'application/yaml',
      });
      await cast.editor.call(changeOperations.addAttachment, {
        params: { id },
        query: { name: 'a.txt' },
        bytes: 'a',
      });
      const admin = await clientFor(cast.service, 'demo-admin');
      await admin.call(changeOperations.promotePolicy, {
        params: { id },
        json: { from: 'prod', to: 'test' },
      });
      const { body } = await cast.auditor.call(getAudit, { query: { subject: id } });
      expect(body.items.map(({ action }) => action)).toEqual([
        'policy.published',
        'snapshot.stored',
        'attachment.added',
        'policy.promoted',
      ]);
      expect(new Set(body.items.map(({ actor }) => actor)).size).toBe(2);
      expect(body.items[0]).toMatchObject({
        index: first.index,
        requestId,
        before: null,
        after: { channel: 'prod', snapshot: first.snapshot, digest: first.digest, gen: 1 },
      });
      const indexes = body.items.map(({ index }) => index);
      expect(indexes).toEqual([...new Set(indexes)].sort((a, b) => a - b));
    });

    it('is filtered and paged in both directions', async () => {
      const id = uniqueId('filtered');
      const requestId = uniqueId('request');
      for (const limit of [1, 2, 3]) await publishRule(cast.editor, id, { limit });
      await publishRule(cast.editor, id, { limit: 4 }, { 'x-request-id': requestId });
      const json = { channel: 'prod' };
      await cast.editor.call(changeOperations.rollbackPolicy, { params: { id }, json });
      const all = await entries({});
      expect(all.map(({ index }) => index)).toEqual(all.map((_, i) => i));
      const own = all.filter(({ subject }) => subject === id);
      const [, second, , fourth] = own;

      for (const limit of [1, 2, 200]) {
        expect(await entries({ limit: `${limit}`, subject: id })).toEqual(own);
        const newestFirst = { limit: `${limit}`, subject: id, order: 'desc' };
        expect(await entries(newestFirst)).toEqual(own.toReversed());
      }
      const back = await entries({ subject: id, action: 'policy.rolledback' });
      expect(back).toEqual(own.slice(-1));
      expect(await entries({ requestId })).toEqual([fourth]);
      const { actor = '' } = second ?? {};
      expect(await entries({ subject: id, actor })).toEqual(own);
      expect(await entries({ subject: id, actor: 'nobody' })).toEqual([]);

      const since = second?.at ?? '';
      const until = fourth?.at ?? '';
      const inTime = (entry: Entry) =>
        Date.parse(entry.at) >= Date.parse(since) && Date.parse(entry.at) < Date.parse(until);
      expect(await entries({ since, until })).toEqual(all.filter(inTime));
      expect(await entries({ since, until, order: 'desc', limit: '1' })).toEqual(
        all.filter(inTime).toReversed(),
      );
      expect(await entries({ since: '9999-12-31T23:59:59Z' })).toEqual([]);
      expect(await entries({ until: '1970-01-01T00:00:00Z' })).toEqual([]);
      expect(await entries({ since: until, until: since })).toEqual([]);
      const unfit: Record<string, string>[] = [{ order: 'up' }, { since: 'now' }, { limit: '201' }];
      for (const query of unfit) {
        await cast.auditor.refuse(getAudit, { query }, 'invalid_request');
      }
    });

    async function entries(query: Readonly<Record<string, string>>): Promise<Entry[]> {
      return pages((page) => cast.auditor.call(getAudit, { query: { ...query, ...page } }));
    }
  });
}
