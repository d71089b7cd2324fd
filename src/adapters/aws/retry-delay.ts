const firstMs = 50;
const maxMs = 2000;

/**
 * How long to wait after so many failures in a row; 0 after none. Full jitter:
 * https://aws.amazon.com/builders-library/timeouts-retries-and-backoff-with-jitter/
 */
export function retryDelayMs(failures: number): number {
  if (failures === 0) return 0;
  return Math.ceil(Math.random() * Math.min(maxMs, firstMs * 2 ** (failures - 1)));
}
