import { describe, expect, it } from 'vitest';
import { RetryBudget } from '../../../src/core/gateway/retry-budget.ts';
import { mayRetry, retryDelayMs } from '../../../src/core/gateway/retry-rules.ts';

const failed = { method: 'GET', canReplay: true, tries: 1 } as const;

describe('mayRetry', () => {
  it.each(['unanswered', 'broke_off', 'bad_status'] as const)(
    'sends what was %s again only where twice is as good as once',
    (failure) => {
      for (const method of ['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE']) {
        expect(mayRetry({ ...failed, failure, method }), method).toBe(true);
      }
      for (const method of ['POST', 'PATCH', 'get', 'TRACE']) {
        expect(mayRetry({ ...failed, failure, method }), method).toBe(false);
      }
    },
  );

  it('sends again what never left, whatever it is', () => {
    expect(mayRetry({ ...failed, failure: 'not_sent', method: 'POST' })).toBe(true);
  });

  it('sends nothing again that is over, has been read, or was tried three times', () => {
    expect(mayRetry({ ...failed, failure: 'timed_out' })).toBe(false);
    expect(mayRetry({ ...failed, failure: 'cancelled' })).toBe(false);
    expect(mayRetry({ ...failed, failure: 'not_sent', canReplay: false })).toBe(false);
    expect(mayRetry({ ...failed, failure: 'not_sent', tries: 2 })).toBe(true);
    expect(mayRetry({ ...failed, failure: 'not_sent', tries: 3 })).toBe(false);
  });
});

describe('retryDelayMs', () => {
  it('goes elsewhere at once with what never left, and else waits by chance, longer each time', () => {
    const most = (failure: 'not_sent' | 'unanswered', tries: number) =>
      retryDelayMs({ failure, tries }, () => 1);
    expect([1, 2].map((tries) => most('not_sent', tries))).toEqual([0, 100]);
    expect([1, 2, 3, 4, 9].map((tries) => most('unanswered', tries))).toEqual([
      50, 100, 200, 250, 250,
    ]);
    expect(retryDelayMs({ failure: 'unanswered', tries: 9 }, () => 0)).toBe(0);
  });
});

describe('RetryBudget', () => {
  const spent = (budget: RetryBudget): number => {
    let count = 0;
    while (budget.spend()) count += 1;
    return count;
  };

  it('has some for a start, and no more', () => {
    expect(spent(new RetryBudget(0))).toBe(100);
  });

  it('earns one for every five calls, and three a second', () => {
    const budget = new RetryBudget(0);
    spent(budget);
    for (let call = 0; call < 50; call++) budget.earn(0);
    expect(spent(budget)).toBe(10);
    budget.earn(2000);
    expect(spent(budget)).toBe(6);
    budget.earn(1_000_000);
    expect(spent(budget)).toBe(100);
  });

  it('earns nothing from a clock that steps back', () => {
    const budget = new RetryBudget(10_000);
    spent(budget);
    budget.earn(0);
    expect(spent(budget)).toBe(0);
  });
});
