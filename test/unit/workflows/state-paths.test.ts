import { describe, expect, it } from 'vitest';

import { fill, isPath, valueAt } from '../../../src/adapters/local/state-paths.ts';
import type { Json } from '../../../src/core/values/json.ts';

const input = { run: 184, step: { status: 'held', none: null, list: [1] } };
const context = { Task: { Token: 'secret' } };

describe('valueAt', () => {
  it.each<[string, Json]>([
    ['$', input],
    ['$.run', 184],
    ['$.step.none', null],
    ['$.step.list', [1]],
    ['$$.Task.Token', 'secret'],
  ])('finds %s', (path, value) => {
    expect(valueAt(path, input, context)).toEqual(value);
  });

  it.each(['$.other', '$.run.x', '$.step.none.x', '$.step.list.length', '$.toString', '$$.Map'])(
    'finds nothing at %s',
    (path) => {
      expect(() => valueAt(path, input, context)).toThrow(`There is nothing at ${path}.`);
    },
  );
});

describe('isPath', () => {
  it.each(['', 'run', '$run', '$.', '$.a.', '$.a[0]', '$..a', "$['a']", '$$$.a', '$.a b', '$.a\n'])(
    'refuses %j',
    (text) => {
      expect(isPath(text)).toBe(false);
    },
  );
});

describe('fill', () => {
  it('replaces paths at every depth, and leaves the rest as it is', () => {
    const template = {
      task: 'ask',
      'run.$': '$.run',
      more: { 'token.$': '$$.Task.Token', text: '$.run' },
    };
    const more = { token: 'secret', text: '$.run' };
    expect(fill(template, input, context)).toEqual({ task: 'ask', run: 184, more });
  });

  it('does not look for paths in what it fills in', () => {
    const tricky = { given: { 'run.$': '$.run' } };
    expect(fill({ 'given.$': '$.given' }, tricky, {})).toEqual(tricky);
  });
});
