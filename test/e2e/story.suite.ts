import { describe, expect, it } from 'vitest';
import { changeOperations } from '../../src/contract/operations/change-operations.ts';
import { queryOperations } from '../../src/contract/operations/query-operations.ts';
import { ruleOperations } from '../../src/contract/operations/rule-operations.ts';
import { useCast } from '../support/cast.ts';
import { openStream } from '../support/event-stream.ts';
import { packageOf, ruleYaml, uniqueId } from '../support/policy-documents.ts';
import type { StartService } from '../support/service.ts';
import { settled } from '../support/settled.ts';

const { publishPolicy, rollbackPolicy } = changeOperations;

/** The first acceptance of the product, from end to end. */
export function describeStory(name: string, start: StartService): void {
  describe(`${name}: the story of a rule`, () => {
    const cast = useCast(start);

    it('is published, pulled, changed, rolled back, heard of and journaled', async () => {
      const id = uniqueId('fcc-5g');
      const { service, editor, reader, auditor, editorName } = cast;
      const prod = { params: { id }, headers: { 'x-channel': 'prod' } };
      const zip = (version: string, limit: number) =>
        ({
          ...prod,
          bytes: packageOf(ruleYaml(id, { version, limit }), { 'metadata.json': '{"by":"FCC"}' }),
          contentType: 'application/zip',
        }) as const;
      const poll = (etag?: string) =>
        reader.call(ruleOperations.getPolicy, {
          params: { id },
          headers: etag === undefined ? {} : { 'if-none-match': etag },
        });
      const watching =
        service.streams === 'live'
          ? await openStream(service.baseUrl, await service.token('demo-service'))
          : undefined;

      const first = await editor.call(publishPolicy, zip('1.0.0', 500));
      expect(first.status).toBe(201);
      expect(first.body).toMatchObject({ id, channel: 'prod', status: 'stored', before: null });
      expect(first.body.snapshot).toMatch(/^v\d{4}-\d\d-\d\d-\d{4}-[0-9a-f]{8}$/);

      const etag = `"${first.body.snapshot}"`;
      const pulled = await settled(service, () => poll());
      expect(pulled.headers.get('etag')).toBe(etag);
      expect(pulled.body).toEqual({ id, version: '1.0.0', limit: 500 });
      expect((await poll(etag)).status).toBe(304);

      const reason = { ...prod.headers, 'x-reason': 'rural towers, docket 24-1' };
      const second = await editor.call(publishPolicy, { ...zip('1.1.0', 750), headers: reason });
      expect(second.body).toMatchObject({ before: first.body.snapshot, gen: 2 });
      const changed = await settled(service, async () => {
        const answer = await poll(etag);
        expect(answer.status).toBe(200);
        return answer;
      });
      expect(changed.body).toMatchObject({ limit: 750 });

      const back = await editor.call(rollbackPolicy, {
        ...prod,
        json: { snapshot: distinctPrefix(first.body.snapshot, second.body.snapshot) },
      });
      expect(back.body).toMatchObject({
        status: 'rolledback',
        snapshot: first.body.snapshot,
        before: second.body.snapshot,
        gen: 3,
      });
      await settled(service, async () => expect((await poll(etag)).status).toBe(304));

      const indexes = [first, second, back].map(({ body }) => Number(body.index));
      expect(indexes).toEqual([...indexes].sort((a, b) => a - b));
      if (watching !== undefined) {
        const heard = await watching.until(3);
        expect(heard.map(({ change }) => change.action)).toEqual([
          'policy.published',
          'policy.published',
          'policy.rolledback',
        ]);
        expect(heard.map(({ change }) => change.index)).toEqual(indexes);
        watching.close();
      }
      const resumed = await openStream(service.baseUrl, await service.token('demo-service'), {
        lastEventId: String(indexes[0]),
      });
      const missed = await resumed.until(2);
      expect(missed.map((message) => message.id)).toEqual(indexes.slice(1).map(String));
      expect(missed.map(({ change }) => change.reason)).toEqual([
        'rural towers, docket 24-1',
        'rollback',
      ]);
      resumed.close();

      const audit = await auditor.call(queryOperations.getAudit, { query: { subject: id } });
      expect(audit.body.items).toMatchObject([
        { index: indexes[0], actor: editorName, action: 'policy.published' },
        { index: indexes[1], action: 'policy.published', reason: 'rural towers, docket 24-1' },
        { index: indexes[2], action: 'policy.rolledback', reason: null },
      ]);
    });
  });
}

/** The shortest beginning of the one that is no beginning of the other. */
function distinctPrefix(one: string, other: string): string {
  let length = 1;
  while (other.startsWith(one.slice(0, length))) length += 1;
  return one.slice(0, length);
}
