import { describe, expect, it } from 'vitest';
import { changeOperations } from '../../src/contract/operations/change-operations.ts';
import { queryOperations } from '../../src/contract/operations/query-operations.ts';
import { ruleOperations } from '../../src/contract/operations/rule-operations.ts';
import { journalOf, publishRule, readRule, useCast } from '../support/cast.ts';
import { openStream } from '../support/event-stream.ts';
import { ruleYaml, uniqueId } from '../support/policy-documents.ts';
import type { StartService } from '../support/service.ts';
import { settled } from '../support/settled.ts';

const { promotePolicy, rollbackPolicy, storeSnapshot } = changeOperations;
const { getPolicy } = ruleOperations;

export function describeChanges(name: string, start: StartService): void {
  describe(`${name}: rolling back, promoting, waiting`, () => {
    const cast = useCast(start);

    it('rolls back to a snapshot by id, prefix, digest and version', async () => {
      const id = uniqueId('names');
      const { body: old } = await publishRule(cast.editor, id, { version: '1.0.0' });
      const hex = old.digest.slice('sha256:'.length);
      for (const snapshot of [old.snapshot, old.digest, `sha256:${hex.slice(0, 12)}`, '1.0.0']) {
        await publishRule(cast.editor, id, { version: '2.0.0' });
        const json = { snapshot, reason: 'smoke' };
        const { status, body } = await cast.editor.call(rollbackPolicy, { params: { id }, json });
        expect(status).toBe(200);
        expect(body).toMatchObject({ channel: 'prod', snapshot: old.snapshot });
        const rule = await settled(cast.service, async () => {
          const answer = await readRule(cast.reader, id);
          expect(answer.body.version).toBe('1.0.0');
          return answer;
        });
        expect(rule.headers.get('etag')).toBe(`"${old.snapshot}"`);
      }
      const entries = await journalOf(cast.auditor, id);
      expect(entries.at(-1)).toMatchObject({ action: 'policy.rolledback', reason: 'smoke' });
      expect(entries.map(({ after }) => (after as { gen: number }).gen)).toEqual(
        entries.map((_, i) => i + 1),
      );
    });

    it('rolls back without a name to the one before, further each time, never forth', async () => {
      const id = uniqueId('one-before');
      for (const limit of [1, 2, 3]) await publishRule(cast.editor, id, { limit });
      const limitAfterRollback = async () => {
        const { body } = await cast.editor.call(rollbackPolicy, { params: { id } });
        const found = { params: { id, snapshot: body.snapshot } };
        return (await cast.reader.call(queryOperations.getSnapshot, found)).body['limit'];
      };
      expect(await limitAfterRollback()).toBe(2);
      expect(await limitAfterRollback()).toBe(1);
      const input = { params: { id } };
      await cast.editor.refuse(rollbackPolicy, input, 'nothing_to_roll_back_to');
    });

    it('rolls back in the channel that body or header names, else in prod', async () => {
      const id = uniqueId('where');
      for (const channel of ['dev', 'test', 'prod']) {
        for (const limit of [1, 2]) {
          await publishRule(cast.editor, id, { limit }, { 'x-channel': channel });
        }
      }
      const channelOf = async (json: object, headers: Record<string, string>) =>
        (await cast.editor.call(rollbackPolicy, { params: { id }, json, headers })).body.channel;
      expect(await channelOf({ channel: 'dev' }, { 'x-channel': 'test' })).toBe('dev');
      expect(await channelOf({}, { 'x-channel': 'test' })).toBe('test');
      expect(await channelOf({}, {})).toBe('prod');
    });

    it('refuses a rollback to what is unknown, ambiguous, later or guarded', async () => {
      const id = uniqueId('refused');
      const { body: first } = await publishRule(cast.editor, id, { limit: 1 });
      await publishRule(cast.editor, id, { limit: 2 });
      const effective = new Date(Date.now() + 3_600_000).toISOString();
      const future = await cast.editor.call(storeSnapshot, {
        params: { id },
        bytes: ruleYaml(id, { version: '3.0.0', effective }),
        contentType: 'application/yaml',
      });
      const to = (snapshot: string) => ({ params: { id }, json: { snapshot } });
      await cast.editor.refuse(rollbackPolicy, to('9.9.9'), 'not_found');
      await cast.editor.refuse(rollbackPolicy, to('1.0.0'), 'ambiguous_snapshot');
      await cast.editor.refuse(rollbackPolicy, to(future.body.snapshot), 'not_yet_effective');
      const guarded = { ...to(first.snapshot), headers: { 'if-match': `"${first.snapshot}"` } };
      await cast.editor.refuse(rollbackPolicy, guarded, 'precondition_failed');
      const elsewhere = { params: { id }, json: { snapshot: first.snapshot, channel: 'test' } };
      await cast.editor.refuse(rollbackPolicy, elsewhere, 'not_found');
      for (const json of [{ snapshot: '../x' }, { snapshot: 1 }, { chanel: 'dev' }, [], null]) {
        await cast.editor.refuse(rollbackPolicy, { params: { id }, json }, 'invalid_request');
      }
      expect(await journalOf(cast.auditor, id)).toHaveLength(3);
    });

    it('does nothing when what is asked for is in force', async () => {
      const id = uniqueId('unmoved');
      const { body: held } = await publishRule(cast.editor, id);
      const json = { snapshot: held.snapshot };
      const { body } = await cast.editor.call(rollbackPolicy, { params: { id }, json });
      expect(body).toEqual({ ...held, status: 'unchanged', before: held.snapshot, index: null });
      expect(await journalOf(cast.auditor, id)).toHaveLength(1);
    });

    it('promotes the newest rule of a channel to another', async () => {
      const id = uniqueId('promoted');
      const { body: tested } = await publishRule(cast.editor, id, {}, { 'x-channel': 'test' });
      const json = { from: 'test', to: 'prod', reason: 'approved' };
      const { body } = await cast.editor.call(promotePolicy, { params: { id }, json });
      expect(body).toMatchObject({ status: 'promoted', channel: 'prod', gen: 1, before: null });
      expect(body.snapshot).toBe(tested.snapshot);
      await settled(cast.service, () => readRule(cast.reader, id));
      const again = await cast.editor.call(promotePolicy, { params: { id }, json });
      expect(again.body).toMatchObject({ status: 'unchanged', index: null });
      const empty = { params: { id }, json: { from: 'dev', to: 'prod' } };
      await cast.editor.refuse(promotePolicy, empty, 'not_found');
      const same = { params: { id }, json: { from: 'prod', to: 'prod' } };
      await cast.editor.refuse(promotePolicy, same, 'invalid_request');
      await publishRule(cast.editor, id, { limit: 2 }, { 'x-channel': 'test' });
      const stale = { params: { id }, json, headers: { 'if-match': '"x"' } };
      await cast.editor.refuse(promotePolicy, stale, 'precondition_failed');
      const entries = await journalOf(cast.auditor, id);
      expect(entries.map(({ action, reason }) => [action, reason])).toEqual([
        ['policy.published', null],
        ['policy.promoted', 'approved'],
        ['policy.published', null],
      ]);
    });

    it('distributes a rule at once and puts it in force at its time', async () => {
      const id = uniqueId('effective');
      const { body: held } = await publishRule(cast.editor, id, { limit: 1 });
      const token = await cast.service.token('demo-service');
      const stream = await openStream(cast.service.baseUrl, token, {
        lastEventId: String(held.index),
      });
      const effectiveMs = Date.now() + 2500;
      const effective = new Date(effectiveMs).toISOString();
      const { body: next } = await publishRule(cast.editor, id, { limit: 2, effective });
      expect(next).toMatchObject({ effectiveAt: effective, before: held.snapshot, gen: 2 });
      const waiting = await settled(cast.service, async () => {
        const answer = await readRule(cast.reader, id);
        expect(answer.headers.get('x-next-snapshot')).toBe(next.snapshot);
        return answer;
      });
      if (Date.now() < effectiveMs) expect(waiting.body).toMatchObject({ limit: 1 });
      expect(waiting.headers.get('x-next-effective')).toBe(effective);
      await new Promise((resolve) => setTimeout(resolve, effectiveMs - Date.now() + 20));
      const now = await settled(cast.service, () => readRule(cast.reader, id));
      expect(now.body).toMatchObject({ limit: 2 });
      expect(now.headers.get('x-next-snapshot')).toBeNull();
      if (cast.service.behindGateway) return;
      const heard = (await stream.until(2)).filter(({ change }) => change.id === id);
      expect(heard.map(({ change }) => [change.action, change.effectiveAt, change.actor])).toEqual([
        ['policy.published', effective, 'demo-editor'],
        ['policy.activated', null, 'hms-svc'],
      ]);
      stream.close();
    });

    it('has no rule in force while the first one waits', async () => {
      const id = uniqueId('first-waits');
      const effective = new Date(Date.now() + 3_600_000).toISOString();
      await publishRule(cast.editor, id, { effective });
      const input = { params: { id } };
      const { detail } = await cast.reader.refuse(getPolicy, input, 'not_in_force');
      expect(detail).toContain(effective);
      const page = await cast.reader.call(queryOperations.getManifest, {});
      const item = page.body.items.find((each) => each.id === id);
      expect(item).toMatchObject({ snapshot: null, etag: null, next: { effectiveAt: effective } });
      await cast.editor.refuse(rollbackPolicy, input, 'nothing_to_roll_back_to');
    });

    it('drops what waits when it rolls back', async () => {
      const id = uniqueId('dropped');
      const { body: held } = await publishRule(cast.editor, id, { limit: 1 });
      const effective = new Date(Date.now() + 3_600_000).toISOString();
      await publishRule(cast.editor, id, { limit: 2, effective });
      const { body } = await cast.editor.call(rollbackPolicy, { params: { id } });
      expect(body).toMatchObject({ status: 'rolledback', snapshot: held.snapshot, gen: 3 });
      const rule = await settled(cast.service, () => readRule(cast.reader, id));
      expect(rule.headers.get('x-next-snapshot')).toBeNull();
    });
  });
}
