import { describe, expect, it } from 'vitest';
import { ticketKey } from '../../../src/core/rollouts/run-keys.ts';
import type { Ticket } from '../../../src/core/rollouts/ticket.ts';
import { ApiDesk } from './api-desk.ts';

describe('tickets', () => {
  const digest = 'b'.repeat(64);
  const ticket: Ticket = {
    id: 'run-1-review',
    kind: 'review',
    run: 1,
    status: 'open',
    choices: ['close'],
    question: 'The canary failed, and the old rule is back.',
    authors: ['editor'],
    needs: 1,
    decisions: [],
    binding: { policies: [{ id: 'epa', digest, gen: 3, replaces: null }], report: null },
    openedAt: '2026-01-01T00:00:00.000Z',
    expiresAt: '2026-01-02T00:00:00.000Z',
    closedAt: null,
  };

  it('are shown to who reads, and closed by who decides', async () => {
    const desk = new ApiDesk();
    await desk.put(ticketKey('demo', ticket.id), ticket);
    const shown = await desk.done('reader', 'GET /api/tickets/run-1-review');
    expect(shown).toMatchObject({
      status: 'open',
      binding: { policies: [{ id: 'epa', digest: `sha256:${digest}`, replaces: null }] },
    });
    expect(await desk.done('reader', 'GET /api/tickets')).toEqual({ items: [shown], next: null });
    const decide = 'POST /api/tickets/run-1-review/decision';
    const json = { decision: 'close', reason: 'seen' };
    await desk.refused(403, 'editor', decide, { json });
    const asked = { json: { decision: 'approve' } };
    expect(await desk.refused(400, 'approver', decide, asked)).toEqual(['/decision']);
    expect(await desk.refused(400, 'approver', decide, { json: { decision: 'no' } })).toEqual([
      '/decision',
    ]);
    expect(await desk.done('approver', decide, { json })).toMatchObject({
      status: 'closed',
      decisions: [{ by: 'approver', decision: 'close', reason: 'seen' }],
    });
    await desk.refused(404, 'stranger', decide, { json });
    await desk.refused(404, 'stranger', 'GET /api/tickets/run-1-review');
  });

  it('cannot be decided by the author of the run', async () => {
    const desk = new ApiDesk();
    await desk.put(ticketKey('demo', ticket.id), {
      ...ticket,
      choices: ['approve', 'reject'],
      authors: ['approver'],
    });
    const json = { decision: 'approve' };
    await desk.refused(403, 'approver', 'POST /api/tickets/run-1-review/decision', { json });
  });
});
