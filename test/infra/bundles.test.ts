import { execFile } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { expect, test } from 'vitest';

import { bundleHandler } from '../../lib/constructs/bundle-handler.ts';

const KB = 1024;
const handlers = readdirSync(join(import.meta.dirname, '../../lambdas')).map((file) =>
  file.replace(/\.ts$/, ''),
);

/** What Node reads at a cold start, in KB. Raise one only with a reason. */
const limits: Readonly<Record<string, number>> = {
  'add-token-claims': 280,
  'change-policies': 650,
  // The read path: QUALITY.md, Speed.
  'get-policy': 350,
  'query-graph': 600,
  'query-policies': 450,
  'relay-journal': 300,
  'serve-docs': 220,
  'stream-policies': 430,
  'sweep-journals': 300,
};

test('each function has a limit', () => {
  expect(Object.keys(limits).sort()).toEqual(handlers.toSorted());
});

test.each(handlers)('%s stays within its limit', (name) => {
  const { eagerBytes } = bundleHandler(name);
  expect(eagerBytes).toBeGreaterThan(KB);
  expect(eagerBytes / KB).toBeLessThanOrEqual(limits[name] ?? 0);
});

test('the read path loads neither S3, YAML nor the router before it needs them', () => {
  const { eagerModules } = bundleHandler('get-policy');
  const packages = eagerModules.map(
    (path) => path.match(/node_modules\/((?:@[^/]+\/)?[^/]+)/)?.[1],
  );
  expect(packages).toContain('@aws-sdk/client-dynamodb');
  for (const unwanted of ['@aws-sdk/client-s3', 'yaml', 'hono', 'zod']) {
    expect(packages).not.toContain(unwanted);
  }
});

test.each(handlers)('%s loads and exports its handler', async (name) => {
  const { folder } = bundleHandler(name);
  const entry = JSON.stringify(join(folder, 'index.mjs'));
  const script = `import(${entry}).then((m) => typeof m.handler, String).then(console.log)`;
  const args = ['--input-type=module', '--eval', script];
  const { stdout } = await promisify(execFile)(process.execPath, args, { env: lambdaEnv });
  expect(stdout.trim()).toBe('function');
});

const lambdaEnv = {
  AWS_REGION: 'us-east-1',
  HMS_BUCKET: 'b',
  HMS_BUS: 'b',
  HMS_CLIENTS_PARAMETER: '/p',
  HMS_ISSUER: 'https://issuer.example/',
  HMS_JWKS_URI: 'https://issuer.example/jwks',
  HMS_STREAM_MAX_S: '1',
  HMS_TABLE: 't',
  HMS_TOKEN_URL: 'https://issuer.example/token',
};
