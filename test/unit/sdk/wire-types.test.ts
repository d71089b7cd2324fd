import { expect, it } from 'vitest';
import type * as z from 'zod';
import type { streamTicket } from '../../../src/contract/stream-ticket-schema.ts';
import type { policyChange } from '../../../src/contract/policy-events.ts';
import type { manifest } from '../../../src/contract/policy-schemas.ts';
import type { problemSchema } from '../../../src/contract/problem-schema.ts';
import { problems } from '../../../src/contract/problems.ts';
import type { newReceipts, receiptAnswers } from '../../../src/contract/report-schemas.ts';
import type { Manifest } from '../../../sdk/src/wire/manifest.ts';
import type { PolicyChange } from '../../../sdk/src/wire/policy-change.ts';
import type { Problem, ProblemCode } from '../../../sdk/src/wire/problem.ts';
import type { NewReceipts, ReceiptAnswers } from '../../../sdk/src/wire/receipt.ts';
import type { StreamTicket } from '../../../sdk/src/wire/stream-ticket.ts';

// The compiler is the test: what the client knows of the wire is what the contract says, both ways.

/** Errors at compile time when `A` is more than `B` may be. */
type Fits<A extends B, B> = A;
type Mutual<A, B> = [A] extends [B] ? ([B] extends [A] ? true : false) : false;

/** What the contract says, as something that nobody writes to. */
type ReadonlyDeep<T> = T extends (infer Item)[]
  ? readonly ReadonlyDeep<Item>[]
  : T extends object
    ? { readonly [K in keyof T]: ReadonlyDeep<T[K]> }
    : T;
type Said<S extends z.ZodType> = ReadonlyDeep<z.output<S>>;

const agreed: readonly [
  Mutual<Manifest, Said<typeof manifest>>,
  Mutual<PolicyChange, Said<typeof policyChange>>,
  Mutual<ReceiptAnswers, Said<typeof receiptAnswers>>,
  Mutual<StreamTicket, Said<typeof streamTicket>>,
  Mutual<ProblemCode, keyof typeof problems>,
  // A newer service may have codes that this client does not know.
  Mutual<Omit<Problem, 'code'>, Omit<Said<typeof problemSchema>, 'code'>>,
  // The client always sends a list.
  Mutual<NewReceipts, Extract<Said<typeof newReceipts>, { readonly receipts: unknown }>>,
] = [true, true, true, true, true, true, true];

type Sent = Fits<NewReceipts, ReadonlyDeep<z.input<typeof newReceipts>>>;
type Told = Fits<Said<typeof problemSchema>, Problem>;

it('knows every code that a problem may have', () => {
  const sent: Sent = { receipts: [] };
  const told: Told['code'][] = Object.keys(problems) as ProblemCode[];
  expect(told.length).toBeGreaterThan(20);
  expect(sent.receipts).toEqual([]);
  expect(agreed).not.toContain(false);
});
