import { defineConfig } from 'vitest/config';

/** `unit` needs nothing but Node; the others need an emulator (see scripts/test-aws.ts). */
export default defineConfig({
  test: {
    // By default one core stays idle, which is half of a small machine.
    maxWorkers: '100%',
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/{unit,contract,infra,e2e}/**/*.test.ts'],
          exclude: ['test/**/*.aws.test.ts'],
          testTimeout: 30_000,
        },
      },
      {
        test: {
          // One after the other: they share what is deployed, and what its journal says.
          name: 'aws',
          include: ['test/{infra,e2e}/**/*.aws.test.ts'],
          testTimeout: 60_000,
          hookTimeout: 300_000,
          fileParallelism: false,
        },
      },
      {
        test: {
          // Each file makes what it needs.
          name: 'aws-ports',
          include: ['test/{unit,contract}/**/*.aws.test.ts'],
          testTimeout: 60_000,
          hookTimeout: 300_000,
        },
      },
    ],
  },
});
