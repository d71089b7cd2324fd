import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { changeOperations } from '../../src/contract/operations/change-operations.ts';
import { feedOperations } from '../../src/contract/operations/feed-operations.ts';
import { queryOperations } from '../../src/contract/operations/query-operations.ts';
import { publishRule, useCast } from '../support/cast.ts';
import { uniqueId } from '../support/policy-documents.ts';
import { below, type StartService } from '../support/service.ts';

const { getHistory, diffRules, listPolicies, listSnapshots } = queryOperations;
const { listAttachments, getAttachment } = queryOperations;
const { addAttachment, rollbackPolicy } = changeOperations;

interface Page<T> {
  readonly body: { readonly items: readonly T[]; readonly next: string | null };
}

export function describeLists(name: string, start: StartService): void {
  describe(`${name}: lists and slices`, () => {
    const cast = useCast(start);

    it('tells the history of a policy, newest first, page by page', async () => {
      const id = uniqueId('history');
      for (const limit of [1, 2]) await publishRule(cast.editor, id, { limit });
      await publishRule(cast.editor, id, { limit: 3 }, { 'x-channel': 'dev' });
      const { body: back } = await cast.editor.call(rollbackPolicy, { params: { id } });
      const whole = await cast.reader.call(getHistory, { params: { id } });
      expect(whole.body.items.map(({ action, channel, gen }) => [action, channel, gen])).toEqual([
        ['policy.rolledback', 'prod', 3],
        ['policy.published', 'dev', 1],
        ['policy.published', 'prod', 2],
        ['policy.published', 'prod', 1],
      ]);
      expect(whole.body.items[0]).toMatchObject({ index: back.index, snapshot: back.snapshot });
      const paged = await pages((query) =>
        cast.reader.call(getHistory, { params: { id }, query: { limit: 1, ...query } }),
      );
      expect(paged).toEqual(whole.body.items);
      const prod = await pages((query) =>
        cast.reader.call(getHistory, {
          params: { id },
          query: { limit: 2, channel: 'prod', ...query },
        }),
      );
      expect(prod).toEqual(whole.body.items.filter(({ channel }) => channel === 'prod'));
      const nowhere = { params: { id: uniqueId('nowhere') } };
      await cast.reader.refuse(getHistory, nowhere, 'not_found');
    });

    it('tells what differs between rules, named by snapshot, version or channel', async () => {
      const id = uniqueId('diff');
      const { body: one } = await publishRule(cast.editor, id, { limit: 1, 'a/b': [1, 2], old: 1 });
      const fields = { version: '1.1.0', limit: 2, 'a/b': [1], new: { deep: true } };
      const { body: two } = await publishRule(cast.editor, id, fields, { 'x-channel': 'dev' });
      const { body } = await cast.reader.call(diffRules, {
        params: { id },
        query: { from: 'prod', to: 'dev' },
      });
      expect(body).toEqual({
        from: { snapshot: one.snapshot, version: '1.0.0' },
        to: { snapshot: two.snapshot, version: '1.1.0' },
        changes: [
          { op: 'replace', pointer: '/version', before: '1.0.0', after: '1.1.0' },
          { op: 'replace', pointer: '/limit', before: 1, after: 2 },
          { op: 'remove', pointer: '/a~1b/1', before: 2 },
          { op: 'remove', pointer: '/old', before: 1 },
          { op: 'add', pointer: '/new', after: { deep: true } },
        ],
      });
      const named = { params: { id }, query: { from: one.snapshot, to: '1.1.0' } };
      expect((await cast.reader.call(diffRules, named)).body).toEqual(body);
      const same = { params: { id }, query: { from: 'prod', to: one.snapshot } };
      expect((await cast.reader.call(diffRules, same)).body.changes).toEqual([]);
      const empty = { params: { id }, query: { from: 'prod', to: 'test' } };
      await cast.reader.refuse(diffRules, empty, 'not_found');
      const half = { params: { id }, query: { from: 'prod' } };
      await cast.reader.refuse(diffRules, half, 'invalid_request');
    });

    it('lists the policies by id, and their snapshots, page by page', async () => {
      const id = uniqueId('listed');
      for (const limit of [1, 2, 3]) await publishRule(cast.editor, id, { limit });
      await publishRule(cast.editor, `${id}-b`, {}, { 'x-channel': 'test' });
      const policies = await pages((query) =>
        cast.reader.call(listPolicies, { query: { limit: 2, ...query } }),
      );
      const ids = policies.map((policy) => policy.id);
      expect(ids).toEqual([...new Set(ids)].sort());
      expect(policies.find((policy) => policy.id === id)?.channels).toMatchObject({
        prod: { gen: 3, version: '1.0.0', next: null },
      });
      expect(policies.find((policy) => policy.id === `${id}-b`)?.channels.prod).toBeUndefined();
      const snapshots = await pages((query) =>
        cast.reader.call(listSnapshots, { params: { id }, query: { limit: 2, ...query } }),
      );
      const names = snapshots.map(({ snapshot }) => snapshot);
      expect(names).toEqual([...names].sort().toReversed());
      expect(new Set(names).size).toBe(3);
      const whole = await cast.reader.call(listSnapshots, { params: { id } });
      expect(snapshots).toEqual(whole.body.items);
    });

    it('answers slices by GraphQL, and what its schema is', async () => {
      const id = uniqueId('graph');
      const { body: held } = await publishRule(cast.editor, id, { limit: 1 });
      const ask = async (query: string, variables?: object) =>
        (await cast.reader.call(feedOperations.queryGraph, { json: { query, variables } })).body;
      const { data } = (await ask('{policies(first:200){id,etag,channel}}')) as {
        data: { policies: { id: string }[] };
      };
      expect(data.policies.find((policy) => policy.id === id)).toEqual({
        id,
        etag: `"${held.snapshot}"`,
        channel: 'prod',
      });
      const one = 'query($id: ID!) { policy(id: $id) { version gen next { snapshot } rule } }';
      expect(await ask(one, { id })).toEqual({
        data: {
          policy: {
            version: '1.0.0',
            gen: 1,
            next: null,
            rule: { id, version: '1.0.0', limit: 1 },
          },
        },
      });
      expect(await ask(one, { id: uniqueId('nowhere') })).toEqual({ data: { policy: null } });
      expect(await ask('{ __schema { queryType { name } } }')).toEqual({
        data: { __schema: { queryType: { name: 'Query' } } },
      });
      const after = id.slice(0, -1);
      const paged = await ask(`{ policies(first: 1, after: "${after}") { id } }`);
      expect(paged).toEqual({ data: { policies: [{ id }] } });
    });

    it('keeps documents beside a policy, and gives them back as they were', async () => {
      const id = uniqueId('attached');
      await publishRule(cast.editor, id);
      const bytes = new Uint8Array([0, 255, 13, 10, 128, 37, 80, 68, 70]);
      const digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
      const input = { params: { id }, query: { name: 'opinion (1).pdf' }, bytes };
      const add = () =>
        cast.editor.call(addAttachment, { ...input, contentType: 'application/pdf' });
      const stored = await add();
      expect(stored.status).toBe(201);
      const path = `/api/policies/${id}/attachments/${digest}`;
      expect(stored.headers.get('location')).toBe(below(cast.service, path));
      expect(stored.body).toMatchObject({ digest, sizeBytes: 9, name: 'opinion (1).pdf' });
      const again = await add();
      expect([again.status, again.body.status]).toEqual([200, 'unchanged']);
      for (const part of ['b', 'c']) {
        await cast.editor.call(addAttachment, {
          params: { id },
          query: { name: `${part}.txt` },
          bytes: part,
          contentType: 'text/plain',
        });
      }
      const listed = await pages((query) =>
        cast.reader.call(listAttachments, { params: { id }, query: { limit: 1, ...query } }),
      );
      expect(listed.map((each) => each.name)).toEqual(['c.txt', 'b.txt', 'opinion (1).pdf']);
      const given = await cast.reader.call(getAttachment, { params: { id, digest } });
      expect(given.bytes.equals(Buffer.from(bytes))).toBe(true);
      expect(given.headers.get('content-type')).toBe('application/pdf');
      const disposition = given.headers.get('content-disposition');
      expect(disposition).toBe('attachment; filename="opinion (1).pdf"');
      const other = {
        params: { id, digest: digest.replace(/.$/, (hex) => (hex === '0' ? '1' : '0')) },
      };
      await cast.reader.refuse(getAttachment, other, 'not_found');
      const nowhere = { ...input, params: { id: uniqueId('nowhere') } };
      await cast.editor.refuse(addAttachment, nowhere, 'not_found');
      for (const unfit of ['../x', 'a/b', '.x', '', 'a"b', 'a\nb']) {
        const named = { ...input, query: { name: unfit } };
        await cast.editor.refuse(addAttachment, named, 'invalid_request');
      }
      const empty = { params: { id }, query: { name: 'a' }, bytes: '' };
      await cast.editor.refuse(addAttachment, empty, 'invalid_request');
    });
  });
}

/** Follows the cursor to the end. */
export async function pages<T>(
  read: (query: { readonly cursor?: string }) => Promise<Page<T>>,
): Promise<T[]> {
  const all: T[] = [];
  for (let query: { readonly cursor?: string } = {}; ;) {
    const { body } = await read(query);
    all.push(...body.items);
    if (body.next === null) return all;
    query = { cursor: body.next };
  }
}
