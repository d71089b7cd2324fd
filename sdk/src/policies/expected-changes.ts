const forgetAfterMs = 10_000;
const maxExpected = 100;

/**
 * Changes that were told of and that the manifest may not show yet. What tells of them is not trusted:
 * it is forgotten after 10 s, and there are never more than 100.
 */
export class ExpectedChanges {
  readonly #genOf: (id: string) => number;
  readonly #expected = new Map<string, { readonly gen: number; readonly untilMs: number }>();

  /** `genOf`: the generation of a policy that is known by now. */
  constructor(genOf: (id: string) => number) {
    this.#genOf = genOf;
  }

  /** Answers whether it is news. */
  expect(id: string, gen: number): boolean {
    if (gen <= this.#genOf(id)) return false;
    const isKept = this.#expected.size < maxExpected || this.#expected.has(id);
    if (isKept) this.#expected.set(id, { gen, untilMs: performance.now() + forgetAfterMs });
    return true;
  }

  /** Something is still to come. */
  get isBehind(): boolean {
    const nowMs = performance.now();
    for (const [id, { gen, untilMs }] of this.#expected) {
      if (gen <= this.#genOf(id) || untilMs <= nowMs) this.#expected.delete(id);
    }
    return this.#expected.size > 0;
  }
}
