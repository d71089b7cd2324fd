import { describe, expect, it } from 'vitest';
import type * as z from 'zod';
import { changeOperations } from '../../src/contract/operations/change-operations.ts';
import { queryOperations } from '../../src/contract/operations/query-operations.ts';
import type { movement } from '../../src/contract/policy-schemas.ts';
import { journalOf, publishRule, readRule, useCast } from '../support/cast.ts';
import { uniqueId } from '../support/policy-documents.ts';
import type { StartService } from '../support/service.ts';
import { settled } from '../support/settled.ts';
import { pages } from './lists.suite.ts';

type Movement = z.output<typeof movement>;
type Entry = Awaited<ReturnType<typeof journalOf>>[number];

interface Lane {
  readonly snapshot: string;
  readonly gen: number;
  readonly channel: string;
}

const { rollbackPolicy, promotePolicy, storeSnapshot } = changeOperations;

export function describeRaces(name: string, start: StartService): void {
  describe(`${name}: several at once`, () => {
    const cast = useCast(start);

    /** One order, in the journal; and every answer true in it. */
    async function expectOneOrder(id: string, answers: readonly Movement[]): Promise<Entry[]> {
      const entries = await journalOf(cast.auditor, id);
      const lanes = new Map<string, Lane>();
      for (const { before, after } of entries) {
        const lane = after as unknown as Lane;
        const previous = lanes.get(lane.channel);
        expect((before as Lane | null)?.snapshot).toBe(previous?.snapshot);
        expect(lane.gen).toBe((previous?.gen ?? 0) + 1);
        lanes.set(lane.channel, lane);
      }
      const changes = answers.filter(({ status }) => status !== 'unchanged');
      expect(entries).toHaveLength(changes.length);
      for (const answer of changes) {
        const entry = entries.find(({ index }) => index === answer.index);
        const { snapshot, gen, channel, digest } = answer;
        expect(entry?.after).toMatchObject({ snapshot, gen, channel, digest });
        expect((entry?.before as Lane | null)?.snapshot ?? null).toBe(answer.before);
      }
      for (const [channel, lane] of lanes) {
        await settled(cast.service, async () => {
          const { headers } = await readRule(cast.reader, id, { channel });
          expect(headers.get('etag')).toBe(`"${lane.snapshot}"`);
        });
      }
      return entries;
    }

    it('puts ten publishes of one policy in one order', async () => {
      const id = uniqueId('ten');
      const answers = await Promise.all(
        Array.from({ length: 10 }, (_, limit) => publishRule(cast.editor, id, { limit })),
      );
      expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 201));
      await expectOneOrder(
        id,
        answers.map(({ body }) => body),
      );
    });

    it('moves a channel once for ten publishes of the same bytes', async () => {
      const id = uniqueId('same');
      const answers = await Promise.all(
        Array.from({ length: 10 }, () => publishRule(cast.editor, id, { limit: 1 })),
      );
      expect(answers.filter(({ status }) => status === 201)).toHaveLength(1);
      expect(new Set(answers.map(({ body }) => body.snapshot)).size).toBe(1);
      await expectOneOrder(
        id,
        answers.map(({ body }) => body),
      );
    });

    it('puts publishes, rollbacks and promotions in one order', async () => {
      const id = uniqueId('mixed');
      const early = [];
      for (const limit of [1, 2, 3])
        early.push((await publishRule(cast.editor, id, { limit })).body);
      const rollback = async (json: object) =>
        (await cast.editor.call(rollbackPolicy, { params: { id }, json })).body;
      const promote = async () => {
        const json = { from: 'prod', to: 'test' };
        return (await cast.editor.call(promotePolicy, { params: { id }, json })).body;
      };
      const publish = async (limit: number) => (await publishRule(cast.editor, id, { limit })).body;
      const answers = await Promise.all([
        publish(4),
        rollback({ snapshot: early[1]?.snapshot }),
        publish(5),
        promote(),
        rollback({ snapshot: early[0]?.snapshot }),
        publish(6),
        promote(),
      ]);
      await expectOneOrder(id, [...early, ...answers]);
    });

    it('rolls back from whatever is in force when others publish', async () => {
      const id = uniqueId('back');
      const early = [];
      for (const limit of [1, 2]) early.push((await publishRule(cast.editor, id, { limit })).body);
      const [rolledBack, ...published] = await Promise.all([
        cast.editor.call(rollbackPolicy, { params: { id } }),
        ...[3, 4, 5].map((limit) => publishRule(cast.editor, id, { limit })),
      ]);
      expect(rolledBack.body.status).toBe('rolledback');
      const answers = [rolledBack, ...published].map(({ body }) => body);
      const entries = await expectOneOrder(id, [...early, ...answers]);
      const place = entries.findIndex(({ action }) => action === 'policy.rolledback');
      const earlier = entries[place - 1]?.before as unknown as Lane;
      expect(rolledBack.body.snapshot).toBe(earlier.snapshot);
    });

    it('lets one of several guarded by the same ETag pass', async () => {
      const id = uniqueId('guarded');
      const { body: held } = await publishRule(cast.editor, id, { limit: 0 });
      const guard = { 'if-match': `"${held.snapshot}"` };
      const outcomes = await Promise.allSettled(
        [1, 2, 3, 4, 5].map((limit) => publishRule(cast.editor, id, { limit }, guard)),
      );
      const passed = outcomes.flatMap((each) =>
        each.status === 'fulfilled' ? [each.value.body] : [],
      );
      expect(passed).toHaveLength(1);
      for (const each of outcomes) {
        if (each.status === 'rejected') expect(String(each.reason)).toContain('412');
      }
      await expectOneOrder(id, [held, ...passed]);
    });

    it('stores one snapshot for several who store the same', async () => {
      const id = uniqueId('stored');
      const store = () =>
        cast.editor.call(storeSnapshot, {
          params: { id },
          bytes: `id: ${id}\nversion: 1.0.0\n`,
          contentType: 'application/yaml',
        });
      const answers = await Promise.all([1, 2, 3, 4, 5].map(() => store()));
      expect(answers.filter(({ status }) => status === 201)).toHaveLength(1);
      expect(new Set(answers.map(({ body }) => body.snapshot)).size).toBe(1);
      expect(await journalOf(cast.auditor, id)).toHaveLength(1);
    });

    it('puts changes of many policies in one journal without a gap', async () => {
      const ids = Array.from({ length: 12 }, () => uniqueId('many'));
      const answers = await Promise.all(ids.map((id) => publishRule(cast.editor, id)));
      const indexes = answers.map(({ body }) => Number(body.index));
      const journal = await pages((page) =>
        cast.auditor.call(queryOperations.getAudit, { query: { limit: 200, ...page } }),
      );
      expect(journal.map(({ index }) => index)).toEqual(journal.map((_, i) => i));
      expect(indexes.map((index) => journal[index]?.subject)).toEqual(ids);
    });
  });
}
