import { expect, it } from 'vitest';
import { taskHandler } from '../../../src/compose/task-handler.ts';
import { Conflict } from '../../../src/core/errors/app-error.ts';

function setUp() {
  const seen: unknown[] = [];
  const handler = taskHandler({
    lint: async (input) => {
      seen.push(['lint', input]);
      return { status: 'passed' };
    },
    'replay-scenarios': async (input) => {
      seen.push(['replay-scenarios', input]);
      return { status: 'replayed' };
    },
    'request-approval': async (input) => void seen.push(['request-approval', input]),
    'release-rules': async () => {
      throw new Conflict('Try again.');
    },
  });
  return { seen, handler };
}

const ref = { tenant: 'demo', run: 184 };

it('hands each task its input, and answers its result', async () => {
  const { seen, handler } = setUp();
  expect(await handler({ task: 'lint', ...ref })).toEqual({ status: 'passed' });
  expect(await handler({ task: 'replay-scenarios', ...ref, batch: 0 })).toEqual({
    status: 'replayed',
  });
  expect(await handler({ task: 'request-approval', ...ref, token: 't' })).toBeUndefined();
  expect(seen).toEqual([
    ['lint', ref],
    ['replay-scenarios', { ...ref, batch: 0 }],
    ['request-approval', { ...ref, token: 't' }],
  ]);
});

it('lets an error of a task through under its name, by which the state machine tries again', async () => {
  const { handler } = setUp();
  await expect(handler({ task: 'release-rules', ...ref })).rejects.toMatchObject({
    name: 'Conflict',
  });
});

it.each([
  [undefined, 'no object'],
  [null, 'no object'],
  ['lint', 'no object'],
  [{ ...ref }, 'Task undefined'],
  [{ task: 'notify-partners', ...ref }, 'Task "notify-partners" is not done here'],
  [{ task: 'toString', ...ref }, 'Task "toString"'],
  [{ task: '__proto__', ...ref }, 'Task "__proto__"'],
  [{ task: ['lint'], ...ref }, 'Task ["lint"]'],
  [{ task: 'lint', run: 1 }, 'without its tenant'],
  [{ task: 'lint', tenant: '', run: 1 }, 'without its tenant'],
  [{ task: 'lint', tenant: 'demo' }, 'without its run'],
  [{ task: 'lint', tenant: 'demo', run: 0 }, 'without its run'],
  [{ task: 'lint', tenant: 'demo', run: '1' }, 'without its run'],
  [{ task: 'replay-scenarios', ...ref }, 'without its batch'],
  [{ task: 'replay-scenarios', ...ref, batch: -1 }, 'without its batch'],
  [{ task: 'request-approval', ...ref }, 'without its token'],
  [{ task: 'request-approval', ...ref, token: '' }, 'without its token'],
])('refuses %j for good', async (event, message) => {
  const { seen, handler } = setUp();
  await expect(handler(event)).rejects.toThrow(message);
  await expect(handler(event)).rejects.toBeInstanceOf(TypeError);
  expect(seen).toEqual([]);
});
