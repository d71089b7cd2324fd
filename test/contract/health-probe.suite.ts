import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { HealthProbe, ProbeResult } from '../../src/ports/health-probe.ts';

export interface HealthProbeFixture {
  readonly probe: HealthProbe;
  /** A page that answers this status; `null`: that never answers. */
  readonly page: (status: number | null) => string;
  /** A page of a server that is not there. */
  readonly nowhere: string;
  /** A page that must not be called from here, named by its address. */
  readonly forbidden: string;
  readonly close: () => PromiseLike<void>;
}

/** What the port says of every result. */
export function expectResult(result: ProbeResult): void {
  expect(result.detail).toMatch(/^\P{Cc}{1,200}$/u);
  expect(Number.isInteger(result.tookMs)).toBe(true);
  expect(result.tookMs).toBeGreaterThanOrEqual(0);
}

/** What every HealthProbe must do. */
export function describeHealthProbe(name: string, make: () => Promise<HealthProbeFixture>): void {
  describe(`HealthProbe: ${name}`, () => {
    let fixture: HealthProbeFixture;
    beforeEach(async () => {
      fixture = await make();
    });
    afterEach(async () => await fixture.close());
    const probe = async (url: string, timeoutMs = 5000, signal?: AbortSignal) => {
      const result = await fixture.probe.probe(url, timeoutMs, signal);
      expectResult(result);
      return result;
    };

    it.each([200, 204, 299])('takes %i for well', async (status) => {
      const { ok, detail } = await probe(fixture.page(status));
      expect({ ok, detail }).toEqual({ ok: true, detail: `answered ${status}` });
    });

    it.each([301, 307, 400, 401, 404, 429, 500, 503])('takes %i for ill', async (status) => {
      const { ok, detail } = await probe(fixture.page(status));
      expect(ok).toBe(false);
      expect(detail).toContain(`answered ${status}`);
    });

    it('says the same of the same', async () => {
      for (const url of [fixture.page(200), fixture.page(503), fixture.nowhere]) {
        expect((await probe(url)).detail).toBe((await probe(url)).detail);
      }
    });

    it('says so when nobody is there, and does not throw', async () => {
      expect((await probe(fixture.nowhere)).ok).toBe(false);
    });

    it('waits no longer than it may', async () => {
      const { ok, detail, tookMs } = await probe(fixture.page(null), 100);
      expect({ ok, detail }).toEqual({ ok: false, detail: 'no answer in 100 ms' });
      expect(tookMs).toBeGreaterThanOrEqual(99);
      expect(tookMs).toBeLessThan(2000);
    });

    it('ends when it is told to', async () => {
      const stop = new AbortController();
      const begun = performance.now();
      const probing = probe(fixture.page(null), 10_000, stop.signal);
      setTimeout(() => stop.abort(), 20);
      expect((await probing).ok).toBe(false);
      expect(performance.now() - begun).toBeLessThan(2000);
    });

    it('probes several at once', async () => {
      const urls = Array.from({ length: 20 }, (_, i) => fixture.page(i % 2 === 0 ? 200 : 500));
      const results = await Promise.all(urls.map((url) => probe(url)));
      expect(results.map(({ ok }) => ok)).toEqual(urls.map((_, i) => i % 2 === 0));
    });

    it.each(['', 'nonsense', 'file:///etc/passwd', 'ftp://example.org/health'])(
      'refuses "%s", and probes it to no avail',
      async (url) => {
        expect(fixture.probe.refusal(url)).toMatch(/^must \P{Cc}{1,100}$/u);
        expect((await probe(url)).ok).toBe(false);
      },
    );

    it('refuses what is plainly out of bounds, and nothing else', async () => {
      expect(fixture.probe.refusal(fixture.forbidden)).toMatch(/^must not /);
      expect((await probe(fixture.forbidden)).ok).toBe(false);
      expect(fixture.probe.refusal(fixture.page(200))).toBeNull();
      // Names are for the moment of the call.
      expect(fixture.probe.refusal('https://service.example/health')).toBeNull();
    });
  });
}
