import { describe, expect, it } from 'vitest';
import { ApiDesk } from './api-desk.ts';
import type { Told } from './asked-app.ts';
import { dead, enqueued } from './job-desk.ts';

describe('GET /jobs', () => {
  const idsOf = (page: Told['body']) => (page['items'] as { id: string }[]).map(({ id }) => id);

  it('lists the newest first, page by page, without their data', async () => {
    const desk = new ApiDesk();
    const ids: string[] = [];
    for (let at = 0; at < 5; at++) ids.unshift(await enqueued(desk));
    const page = await desk.done('service', 'GET /jobs?limit=3');
    expect(idsOf(page)).toEqual(ids.slice(0, 3));
    expect((page['items'] as object[])[0]).not.toHaveProperty('data');
    const rest = await desk.done('service', `GET /jobs?limit=3&cursor=${String(page['next'])}`);
    expect([idsOf(rest), rest['next']]).toEqual([ids.slice(3), null]);
    expect(await desk.done('stranger', 'GET /jobs')).toEqual({ items: [], next: null });
  });

  it('lists open ones in the order of their turns, of a type or all', async () => {
    const desk = new ApiDesk();
    const low = await enqueued(desk, { priority: 'low' });
    const normal = await enqueued(desk);
    const high = await enqueued(desk, { priority: 'high' });
    const other = await enqueued(desk, { type: 'a.first' });
    const gone = await enqueued(desk);
    await dead(desk, gone);
    const first = await desk.done('service', 'GET /jobs?status=queued&limit=2');
    expect(idsOf(first)).toEqual([other, high]);
    const next = `GET /jobs?status=queued&cursor=${String(first['next'])}` as const;
    expect(idsOf(await desk.done('service', next))).toEqual([normal, low]);
    const typed = await desk.done('service', 'GET /jobs?status=queued&type=mail.send');
    expect(idsOf(typed)).toEqual([high, normal, low]);
    const dying = await desk.done('service', 'GET /jobs?status=dead&type=mail.send');
    expect(dying['items']).toMatchObject([{ id: gone, error: { code: 'no_use' } }]);
    expect(idsOf(await desk.done('service', 'GET /jobs?type=a.first'))).toEqual([other]);
  });

  it('takes the cursor of its own list alone', async () => {
    const desk = new ApiDesk();
    for (let at = 0; at < 2; at++) await enqueued(desk);
    const all = await desk.done('service', 'GET /jobs?limit=1');
    const open = await desk.done('service', 'GET /jobs?limit=1&status=queued');
    for (const call of [
      `GET /jobs?status=queued&cursor=${String(all['next'])}`,
      `GET /jobs?cursor=${String(open['next'])}`,
      'GET /jobs?cursor=eHl6',
    ] as const) {
      expect(await desk.refused(400, 'service', call)).toEqual(['query:cursor']);
    }
    expect(await desk.refused(400, 'service', 'GET /jobs?status=done')).toEqual(['query:status']);
  });
});

describe('the audit of jobs', () => {
  it('is in logs of their own, as many as there are', async () => {
    const desk = new ApiDesk();
    const ids: string[] = [];
    for (let at = 0; at < 8; at++) ids.push(await enqueued(desk, { reason: 'why' }));
    const subjects: string[] = [];
    for (const log of ['jobs-0', 'jobs-1']) {
      const items = await entriesOf(desk, log);
      expect(items.map(({ index }) => index)).toEqual([...items.keys()]);
      for (const item of items) {
        expect(item).toMatchObject({ action: 'job.queued', actor: 'service', reason: 'why' });
        subjects.push(item.subject);
      }
    }
    expect(subjects.sort()).toEqual(ids.map((id) => `job:${id}`).sort());
    expect(await desk.done('admin', 'GET /api/audit')).toEqual({ items: [], next: null });
  });

  it('finds no log that there is not', async () => {
    const desk = new ApiDesk();
    await desk.refused(404, 'admin', 'GET /api/audit?log=jobs-2');
    for (const log of ['jobs-01', 'jobs', 'jobs-0%23x', '']) {
      expect(await desk.refused(400, 'admin', `GET /api/audit?log=${log}`)).toEqual(['query:log']);
    }
  });
});

/** The entries of a log, page by page. */
async function entriesOf(desk: ApiDesk, log: string) {
  const items: { index: number; subject: string }[] = [];
  for (let cursor = ''; ;) {
    const page = await desk.done('admin', `GET /api/audit?log=${log}&limit=3${cursor}`);
    items.push(...(page['items'] as typeof items));
    if (typeof page['next'] !== 'string') return items;
    cursor = `&cursor=${page['next']}`;
  }
}
