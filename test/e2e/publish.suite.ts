import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { changeOperations } from '../../src/contract/operations/change-operations.ts';
import { queryOperations } from '../../src/contract/operations/query-operations.ts';
import { journalOf, publishRule, readRule, useCast } from '../support/cast.ts';
import { packageOf, ruleYaml, uniqueId } from '../support/policy-documents.ts';
import { below, type StartService } from '../support/service.ts';
import { settled } from '../support/settled.ts';
import { realPolicy, realZips } from '../unit/packages/real-zips.ts';

const { publishPolicy, storeSnapshot, rollbackPolicy } = changeOperations;
const { getSnapshot } = queryOperations;
const zip = 'application/zip';

export function describePublish(name: string, start: StartService): void {
  describe(`${name}: publishing`, () => {
    const cast = useCast(start);

    it('answers the same bytes again with the same snapshot, and does nothing', async () => {
      const id = uniqueId('again');
      const input = { params: { id }, bytes: packageOf(ruleYaml(id)), contentType: zip };
      const first = await cast.editor.call(publishPolicy, input);
      const again = await cast.editor.call(publishPolicy, input);
      expect([first.status, again.status]).toEqual([201, 200]);
      expect(again.body).toEqual({
        ...first.body,
        status: 'unchanged',
        before: first.body.snapshot,
        index: null,
      });
      expect(await journalOf(cast.auditor, id)).toHaveLength(1);
    });

    it('names the new snapshot in Location', async () => {
      const id = uniqueId('where');
      const { headers, body } = await publishRule(cast.editor, id, { limit: 1 });
      const path = `/api/policies/${id}/snapshots/${body.snapshot}`;
      expect(headers.get('location')).toBe(below(cast.service, path));
      const found = await cast.reader.fetch('GET', path);
      expect(JSON.parse(found.text)).toEqual({ id, version: '1.0.0', limit: 1 });
    });

    it('takes dev unless a channel is named, and leaves the others alone', async () => {
      const id = uniqueId('channels');
      const { body } = await cast.editor.call(publishPolicy, {
        params: { id },
        bytes: ruleYaml(id),
        contentType: 'text/yaml; charset=utf-8',
      });
      expect(body.channel).toBe('dev');
      await settled(cast.service, () => readRule(cast.reader, id, { channel: 'dev' }));
      await expect(readRule(cast.reader, id, { channel: 'prod' })).rejects.toThrow('404');
    });

    it('keeps the reason, trimmed, in the journal', async () => {
      const id = uniqueId('reason');
      await publishRule(cast.editor, id, {}, { 'x-reason': '  docket 24-1  ' });
      const [entry] = await journalOf(cast.auditor, id);
      expect(entry).toMatchObject({ action: 'policy.published', reason: 'docket 24-1' });
    });

    it('packs a bare rule always to the same package, which may be published itself', async () => {
      const id = uniqueId('bare');
      const { body } = await publishRule(cast.editor, id, { limit: 1 });
      const packed = await cast.reader.call(getSnapshot, {
        params: { id, snapshot: body.snapshot },
        headers: { accept: zip },
      });
      expect(body.digest).toBe(sha256(packed.bytes));
      const again = await cast.editor.call(publishPolicy, {
        params: { id },
        headers: { 'x-channel': 'prod' },
        bytes: new Uint8Array(packed.bytes),
        contentType: zip,
      });
      expect(again.body).toMatchObject({ status: 'unchanged', snapshot: body.snapshot });
    });

    it.each(Object.entries(realZips))('takes and gives back a ZIP of %s', async (_, base64) => {
      const id = 'epa-pm25-limit';
      const bytes = Buffer.from(base64, 'base64');
      const { body } = await cast.editor.call(storeSnapshot, {
        params: { id },
        bytes: new Uint8Array(bytes),
        contentType: zip,
      });
      expect(body).toMatchObject({ version: '2.0.0', digest: sha256(bytes) });
      const policy = body.entries.find(({ path }) => path === 'policy.yaml');
      expect(policy?.sha256).toBe(createHash('sha256').update(realPolicy).digest('hex'));
      const given = await cast.reader.call(getSnapshot, {
        params: { id, snapshot: body.digest },
        headers: { accept: zip },
      });
      expect(given.bytes.equals(bytes)).toBe(true);
    });

    it('goes back to an older package under its old name, with a higher gen', async () => {
      const id = uniqueId('to-and-fro');
      const first = await publishRule(cast.editor, id, { limit: 1 });
      await publishRule(cast.editor, id, { limit: 2 });
      const third = await publishRule(cast.editor, id, { limit: 1 });
      expect(third.status).toBe(201);
      expect(third.body).toMatchObject({ snapshot: first.body.snapshot, gen: 3, status: 'stored' });
    });

    it('stores without moving a channel, and what is stored can be put in force', async () => {
      const id = uniqueId('stored');
      await publishRule(cast.editor, id, { limit: 1 });
      const input = { params: { id }, bytes: ruleYaml(id, { limit: 2 }), contentType: 'text/yaml' };
      const stored = await cast.editor.call(storeSnapshot, input);
      expect(stored.status).toBe(201);
      expect(stored.body).toMatchObject({
        id,
        status: 'stored',
        entries: [{ path: 'policy.yaml' }],
      });
      const again = await cast.editor.call(storeSnapshot, input);
      expect(again.status).toBe(200);
      expect(again.body).toEqual({ ...stored.body, status: 'unchanged' });
      const still = await settled(cast.service, () => readRule(cast.reader, id));
      expect(still.body).toMatchObject({ limit: 1 });
      const { body } = await cast.editor.call(rollbackPolicy, {
        params: { id },
        json: { snapshot: stored.body.snapshot },
      });
      expect(body).toMatchObject({ snapshot: stored.body.snapshot, status: 'rolledback' });
      const actions = (await journalOf(cast.auditor, id)).map(({ action }) => action);
      expect(actions).toEqual(['policy.published', 'snapshot.stored', 'policy.rolledback']);
    });

    it('refuses a package of another policy, and names every finding about a rule', async () => {
      const id = uniqueId('refused');
      const wrong = await cast.editor.refuse(
        publishPolicy,
        { params: { id }, bytes: ruleYaml('another'), contentType: 'text/yaml' },
        'invalid_policy',
      );
      expect(wrong.errors).toMatchObject([{ pointer: '/id' }]);
      const worse = await cast.editor.refuse(
        publishPolicy,
        {
          params: { id },
          bytes: ruleYaml(id, { version: 'two', effective: 'soon', tags: [1] }),
          contentType: 'text/yaml',
        },
        'invalid_policy',
      );
      const pointers = worse.errors?.map(({ pointer }) => pointer);
      expect(pointers).toEqual(['/version', '/effective', '/tags/0']);
      expect(await journalOf(cast.auditor, id)).toEqual([]);
    });

    it('guards a change with If-Match', async () => {
      const id = uniqueId('guarded');
      const publish = (limit: number, ifMatch: string) =>
        ({
          params: { id },
          headers: { 'x-channel': 'prod', 'if-match': ifMatch },
          bytes: ruleYaml(id, { limit }),
          contentType: 'text/yaml',
        }) as const;
      await cast.editor.refuse(publishPolicy, publish(1, '*'), 'precondition_failed');
      const first = (await publishRule(cast.editor, id, { limit: 1 })).body.snapshot;
      const second = (await cast.editor.call(publishPolicy, publish(2, `"${first}"`))).body;
      expect(second).toMatchObject({ status: 'stored', before: first });
      for (const stale of [`"${first}"`, first, `W/"${second.snapshot}"`, '"x", "y"']) {
        await cast.editor.refuse(publishPolicy, publish(3, stale), 'precondition_failed');
      }
      await cast.editor.refuse(publishPolicy, publish(3, ' , '), 'invalid_request');
      await cast.editor.call(publishPolicy, publish(3, '*'));
      const fourth = await cast.editor.call(
        publishPolicy,
        publish(4, `"x", "${(await inForce(id)) ?? ''}"`),
      );
      expect(fourth.body.gen).toBe(4);
      expect(await journalOf(cast.auditor, id)).toHaveLength(4);
    });

    async function inForce(id: string): Promise<string | undefined> {
      const entries = await journalOf(cast.auditor, id);
      return (entries.at(-1)?.after as { snapshot?: string } | null)?.snapshot;
    }
  });
}

function sha256(bytes: Uint8Array): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}
