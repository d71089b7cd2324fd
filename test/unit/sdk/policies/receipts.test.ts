import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { FakePolicies, problem } from '../../../support/fake-policies.ts';
import { pass, settle, stopTime } from '../../../support/fake-time.ts';
import { testClient } from '../../../support/sdk-clients.ts';
import { newReceipts } from '../../../../src/contract/report-schemas.ts';
import { ReceiptSender } from '../../../../sdk/src/receipts/receipt-sender.ts';
import { createApi } from '../../../../sdk/src/api/api.ts';

let service: FakePolicies;
beforeEach(() => {
  service = new FakePolicies();
  stopTime();
});
afterEach(() => vi.useRealTimers());

const posts = () => service.calls.filter(({ name }) => name === 'POST /api/receipts');
const receipts = () => service.reports.flatMap((report) => report.receipts);

describe('receipts', () => {
  it('tell what is run, a few seconds later and together, as the contract has it', async () => {
    const snapshots = ['a', 'b'].map((id) => service.publish(id, {}));
    const policies = testClient(service, { receipts: true, subject: 'bot-7' });
    await policies.ready();
    await pass(1000);
    expect(service.reports).toEqual([]);
    await pass(1100);
    expect(service.reports).toHaveLength(1);
    const [report] = service.reports;
    expect(() => newReceipts.parse(report)).not.toThrow();
    expect(report?.receipts).toEqual([
      { policy: 'a', channel: 'prod', snapshot: snapshots[0], status: 'applied' },
      { policy: 'b', channel: 'prod', snapshot: snapshots[1], status: 'applied' },
    ]);
    expect(posts()[0]?.headers.get('x-subject')).toBe('bot-7');
    expect(policies.status().receipts).toEqual({ waiting: 0, sent: 2, dropped: 0 });
  });

  it('go 100 at a time', async () => {
    for (let n = 0; n < 230; n++) service.publish(`p-${n}`, {});
    const policies = testClient(service, { receipts: true });
    await policies.ready();
    await pass(10_000);
    expect(service.reports.map((report) => report.receipts.length)).toEqual([100, 100, 30]);
  });

  it('are sent again as the same report until there is an answer', async () => {
    service.publish('a', {});
    let answers = 0;
    service.lie = (call) => {
      if (!call.name.includes('/receipts') || ++answers > 2) return undefined;
      // The first is taken in, and its answer lost; the second is refused for the time being.
      if (answers === 1) service.answer(call);
      return answers === 1 ? problem(504, 'gateway_timeout') : problem(429, 'too_many_requests');
    };
    const policies = testClient(service, { receipts: true });
    await policies.ready();
    await pass(20_000);
    expect(posts()).toHaveLength(3);
    expect(new Set(service.reports.map(({ reportId }) => reportId)).size).toBe(1);
    expect(policies.said('receipts-failed')).toMatchObject([{ final: false }]);
    expect(policies.status().receipts).toMatchObject({ waiting: 0, sent: 1 });
  });

  it('that the service could not take in are told again, in another report', async () => {
    service.publish('a', {});
    service.publish('b', {});
    let answers = 0;
    service.lie = (call) => {
      if (!call.name.includes('/receipts') || ++answers > 1) return undefined;
      service.answer(call);
      const failed = { status: 'failed', code: 'unavailable', detail: 'busy' };
      return Response.json({ receipts: [{ status: 'recorded' }, failed] });
    };
    await testClient(service, { receipts: true }).ready();
    await pass(6000);
    expect(receipts().map(({ policy }) => policy)).toEqual(['a', 'b', 'b']);
    expect(service.reports[0]?.reportId).not.toBe(service.reports[1]?.reportId);
  });

  it('end, and that is said once, when there is no scope for them', async () => {
    service.publish('a', {});
    service.lie = ({ name }) =>
      name.includes('/receipts') ? problem(403, 'forbidden') : undefined;
    const policies = testClient(service, { receipts: true, pollMs: 1000 });
    await policies.ready();
    await pass(3000);
    service.publish('a', { n: 2 });
    policies.decided('a');
    await pass(60_000);
    expect(posts()).toHaveLength(1);
    expect(policies.said('receipts-failed')).toMatchObject([{ final: true }]);
  });

  it('have the last word last, and count decisions before it', async () => {
    const first = service.publish('a', {});
    const policies = testClient(service, { receipts: true, pollMs: 1000 });
    await policies.ready();
    await pass(3000);
    policies.decided('a', 3);
    policies.decided('a');
    policies.decided('a', -5);
    policies.decided('unknown', 7);
    const second = service.publish('a', { n: 2 });
    await pass(4200);
    policies.decided('a', 2);
    await pass(31_000);
    expect(receipts().slice(1)).toEqual([
      { policy: 'a', channel: 'prod', snapshot: first, status: 'applied', decisions: 4 },
      { policy: 'a', channel: 'prod', snapshot: second, status: 'applied' },
      { policy: 'a', channel: 'prod', snapshot: second, status: 'applied', decisions: 2 },
    ]);
    policies.decided('a', 1e12);
    await pass(31_000);
    expect(receipts().at(-1)).toMatchObject({ snapshot: second, decisions: 1e9 });
    for (const report of service.reports) expect(() => newReceipts.parse(report)).not.toThrow();
  });

  it('are sent when the client closes, and then again for as long as 2 s', async () => {
    service.publish('a', {});
    const policies = testClient(service, { receipts: true });
    await policies.ready();
    await policies.close();
    expect(receipts()).toHaveLength(1);
    service.lie = ({ name }) =>
      name.includes('/receipts') ? new Promise(() => undefined) : undefined;
    const other = testClient(service, { receipts: true });
    await other.ready();
    let isClosed = false;
    const closing = other.close().then(() => (isClosed = true));
    await pass(1900);
    expect(isClosed).toBe(false);
    await pass(200);
    await closing;
    expect(vi.getTimerCount()).toBe(0);
  });

  it('are bounded: the oldest go first, and are counted', async () => {
    const dropped: number[] = [];
    const sender = new ReceiptSender({
      api: createApi({ baseUrl: service.baseUrl, fetch: service.fetch }),
      channel: 'prod',
      subject: undefined,
      says: { receiptsFailed: () => undefined, receiptsDropped: (count) => dropped.push(count) },
      keepsAlive: true,
    });
    for (let n = 0; n < 10_003; n++) sender.applied(`p-${n}`, 's');
    expect(sender.status).toEqual({ waiting: 10_000, sent: 0, dropped: 3 });
    expect(dropped).toEqual([1]);
    const closing = new AbortController();
    const running = sender.run(closing.signal);
    await pass(2100);
    expect(receipts()[0]?.policy).toBe('p-3');
    closing.abort();
    await running;
    expect(receipts()).toHaveLength(10_000);
  });

  it('have reasons of one line, however they are worded', async () => {
    const sender = new ReceiptSender({
      api: createApi({ baseUrl: service.baseUrl, fetch: service.fetch }),
      channel: 'prod',
      subject: undefined,
      says: { receiptsFailed: () => undefined, receiptsDropped: () => undefined },
      keepsAlive: true,
    });
    sender.refused('a', 's', '\u0000\n');
    sender.refused('b', 's', `line one\nline two ${'😀'.repeat(600)}`);
    const closing = new AbortController();
    closing.abort();
    await sender.run(closing.signal);
    await settle();
    expect(() => newReceipts.parse(service.reports[0])).not.toThrow();
    expect(receipts()[0]?.reason).toBe('refused');
    expect(receipts()[1]?.reason).toMatch(/^line one line two /);
  });
});
