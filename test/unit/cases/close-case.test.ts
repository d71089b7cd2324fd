import { beforeEach, describe, expect, it } from 'vitest';
import { caseClosed } from '../../../src/contract/case-schemas.ts';
import { casesNear, readCase } from '../../../src/core/cases/find-cases.ts';
import { CaseDesk } from './case-desk.ts';

const here = { lat: 38.5012, lon: -98.2004 };

describe('closing a case', () => {
  let desk: CaseDesk;
  beforeEach(async () => {
    desk = new CaseDesk();
    await desk.report(here);
  });
  const close = (data = {}) => desk.done('case.close', { case: 'CASE-1', ...data }, 'crew-4');

  it('keeps it, and frees its place', async () => {
    const before = await readCase(desk.deps, 'demo', 'CASE-1');
    const closedAt = '2026-01-01T00:00:00.000Z';
    const outcome = await close({ note: 'filled' });
    expect(outcome).toMatchObject({
      result: { case: 'CASE-1', closedAt },
      events: [{ type: 'case.closed', subject: 'CASE-1' }],
    });
    if (outcome.kind !== 'completed') return;
    expect(caseClosed.strict().parse(outcome.events[0]?.data)).toEqual({
      case: 'CASE-1',
      closedAt,
      note: 'filled',
    });
    expect(await readCase(desk.deps, 'demo', 'CASE-1')).toEqual({
      ...before,
      closed: { at: closedAt, by: 'crew-4', note: 'filled', job: 'job-2' },
    });
    expect((await casesNear(desk.deps, 'demo', here, 250, 10)).items).toEqual([]);
    expect(await desk.report(here)).toMatchObject({ result: { case: 'CASE-3' } });
  });

  it('leaves the cases beside it', async () => {
    await desk.report({ lat: here.lat + 0.0004, lon: here.lon });
    await close();
    const { items } = await casesNear(desk.deps, 'demo', here, 250, 10);
    expect(items.map(({ id }) => id)).toEqual(['CASE-2']);
  });

  it('is rejected when it is closed already, or nowhere', async () => {
    await close();
    expect(await close()).toEqual({
      kind: 'rejected',
      validator: 'open',
      reason: 'CASE-1 is closed since 2026-01-01T00:00:00.000Z',
    });
    expect(await close({ case: 'CASE-9' })).toMatchObject({ reason: 'there is no CASE-9' });
    const other = new CaseDesk(desk.deps, 'other');
    expect(await other.done('case.close', { case: 'CASE-1' })).toMatchObject({ kind: 'rejected' });
  });

  it('does not let a report pass that saw the place as it was before', async () => {
    const late = desk.job('pothole.report', { lat: 38.5015, lon: -98.2004, description: 'x' });
    const sawOpen = await late();
    expect(sawOpen.outcome.kind).toBe('completed');
    await close();
    await desk.report({ lat: 38.5014, lon: -98.2004 });
    expect(await sawOpen.commit()).toBe('conflict');
    expect((await late()).outcome).toMatchObject({ kind: 'rejected', validator: 'duplicate' });
  });
});
