import { readFileSync } from 'node:fs';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bucketOf, inAudience } from '../../../src/core/policies/in-audience.ts';

const vectors = JSON.parse(
  readFileSync(new URL('../../../docs/bucketing-vectors.json', import.meta.url), 'utf8'),
) as { salt: string; subject: string; bucket: number }[];

const reader = (subject: string, region?: string) => ({ subject, region });
const subjects = fc.string({ minLength: 1, maxLength: 40 });

describe('the bucket of a subject', () => {
  it('is that of the published vectors', () => {
    expect(vectors.length).toBeGreaterThanOrEqual(20);
    for (const { salt, subject, bucket } of vectors) expect(bucketOf(salt, subject)).toBe(bucket);
  });

  it('is spread evenly: 10 000 subjects, 5 % of them within four standard deviations', () => {
    const audience = { salt: 'run-184', weight: 500, region: null };
    let tried = 0;
    for (let n = 0; n < 10_000; n++) if (inAudience(audience, reader(`bot-${n}`))) tried += 1;
    // Binomial: mean 500, standard deviation 21.8.
    expect(Math.abs(tried - 500)).toBeLessThan(88);
  });

  it('has another order with another salt', () => {
    const first = Array.from({ length: 50 }, (_, n) => bucketOf('a', `bot-${n}`));
    const second = Array.from({ length: 50 }, (_, n) => bucketOf('b', `bot-${n}`));
    expect(first).not.toEqual(second);
  });
});

describe('an audience', () => {
  it('only grows with its weight', () => {
    fc.assert(
      fc.property(
        fc.string(),
        subjects,
        fc.integer({ min: 1, max: 9999 }),
        fc.integer({ min: 1, max: 9999 }),
        (salt, subject, a, b) => {
          const [less, more] = a < b ? [a, b] : [b, a];
          const within = (weight: number) =>
            inAudience({ salt, weight, region: null }, reader(subject));
          return !within(less) || within(more);
        },
      ),
    );
  });

  it('of all the weight is everyone', () => {
    fc.assert(
      fc.property(subjects, (subject) =>
        inAudience({ salt: 's', weight: 10_000, region: null }, reader(subject)),
      ),
    );
  });

  it('of a region is nobody from elsewhere, and of that region the same as without', () => {
    const open = { salt: 's', weight: 5000, region: null };
    const ncr = { ...open, region: 'NCR' };
    fc.assert(
      fc.property(subjects, (subject) => {
        expect(inAudience(ncr, reader(subject))).toBe(false);
        expect(inAudience(ncr, reader(subject, 'ncr'))).toBe(false);
        expect(inAudience(ncr, reader(subject, 'NCR'))).toBe(inAudience(open, reader(subject)));
      }),
    );
  });
});
