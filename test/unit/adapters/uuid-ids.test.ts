import { expect, it } from 'vitest';
import { uuidIds } from '../../../src/adapters/runtime/uuid-ids.ts';

it('makes UUIDs of version 7 that tell their time', () => {
  const nowMs = Date.UTC(2026, 5, 7, 8, 9, 10, 11);
  const id = uuidIds({ nowMs: () => nowMs }).next();
  expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  expect(Number.parseInt(id.replace('-', '').slice(0, 12), 16)).toBe(nowMs);
});
