import { defineConfig } from 'vitest/config';

/** `unit` needs nothing but Node; `aws` needs an emulator (see scripts/test-aws.ts). */
export default defineConfig({
  test: {
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
          name: 'aws',
          include: ['test/**/*.aws.test.ts'],
          testTimeout: 60_000,
          hookTimeout: 300_000,
          fileParallelism: false,
        },
      },
    ],
  },
});
