import { execFile } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { expect, test } from 'vitest';

import { bundleHandler } from '../../lib/constructs/bundle-handler.ts';
import { freePort } from '../support/free-port.ts';

const KB = 1024;
const handlers = readdirSync(join(import.meta.dirname, '../../lambdas')).map((file) =>
  file.replace(/\.ts$/, ''),
);

/** What Node reads at a cold start, in KB. Raise one only with a reason. */
const limits: Readonly<Record<string, number>> = {
  'add-token-claims': 280,
  'advance-run': 300,
  'answer-frames': 440,
  // Connections to services, and the state machine of their circuits.
  'call-service': 520,
  'change-policies': 650,
  'file-claims': 470,
  // The read path: QUALITY.md, Speed.
  'get-policy': 350,
  // Schemas, and CEL for governance rules.
  'lint-policies': 900,
  'manage-jobs': 530,
  'manage-rollouts': 500,
  'manage-services': 480,
  'notify-partners': 290,
  'probe-services': 300,
  'push-changes': 310,
  'query-graph': 600,
  'query-policies': 450,
  'reconcile-jobs': 310,
  'reconcile-runs': 300,
  // It makes jobs of events: SQS, and the schemas of what jobs hold.
  'relay-journal': 490,
  // The parser and the checker of CEL.
  'replay-scenarios': 760,
  'serve-docs': 245,
  'stream-policies': 440,
  'sweep-journals': 490,
  'take-reports': 450,
  'work-jobs': 480,
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

test('tasks of rollouts load a transport with their first partner, and Step Functions with need', () => {
  const { eagerModules } = bundleHandler('notify-partners');
  expect(
    eagerModules.filter((path) => /\/(?:ssh2|standardwebhooks|client-ses)/.test(path)),
  ).toEqual([]);
  const advance = bundleHandler('advance-run').eagerModules;
  expect(advance.filter((path) => path.includes('client-sfn'))).toEqual([]);
});

async function evaluate(script: string): Promise<string> {
  const args = ['--input-type=module', '--eval', script];
  const { stdout } = await promisify(execFile)(process.execPath, args, { env: lambdaEnv });
  return stdout.trim();
}

test.each(handlers)('%s loads and exports its handler', async (name) => {
  const { folder } = bundleHandler(name);
  const entry = JSON.stringify(join(folder, 'index.mjs'));
  expect(await evaluate(`console.log(typeof (await import(${entry})).handler)`)).toBe('function');
});

test.each(handlers)('%s: what is loaded later, loads', async (name) => {
  const { folder } = bundleHandler(name);
  const chunks = readdirSync(folder).filter((file) => file.endsWith('.mjs'));
  const paths = JSON.stringify(chunks.map((file) => join(folder, file)));
  await evaluate(`for (const path of ${paths}) await import(path)`);
});

test('SFTP goes without the compiled parts of ssh2, and the bundle holds none', async () => {
  const { folder } = bundleHandler('notify-partners');
  const files = readdirSync(folder, { recursive: true }).map(String);
  expect(files.filter((file) => file.endsWith('.node'))).toEqual([]);
  const sftp = files.find((file) => /^sftp-transport-.*\.mjs$/.test(file));
  const target = {
    kind: 'sftp',
    host: '127.0.0.1',
    port: await freePort(),
    username: 'hms',
    hostKey: 'SHA256:x',
    folder: '/in',
  };
  const notice = { id: 'n', timestampS: 1, type: 't', title: 't', text: 't', body: '{}' };
  const attempt = await evaluate(`
    const { sftpTransport } = await import(${JSON.stringify(join(folder, sftp ?? ''))});
    const transport = sftpTransport({ networks: { allowPrivate: true } });
    const attempt = await transport.send(${JSON.stringify(target)}, 'key', ${JSON.stringify(notice)});
    console.log(JSON.stringify(attempt));`);
  expect(JSON.parse(attempt)).toMatchObject({
    outcome: 'failed',
    detail: expect.stringContaining('ECONNREFUSED'),
  });
});

const lambdaEnv = {
  AWS_REGION: 'us-east-1',
  HMS_ALLOW_TARGETS: '10.0.0.0/8',
  HMS_BUCKET: 'b',
  HMS_MAIL_FROM: 'rules@agency.example',
  HMS_BUS: 'b',
  HMS_CLIENTS_PARAMETER: '/p',
  HMS_ISSUER: 'https://issuer.example/',
  HMS_JOB_JOURNALS: '16',
  HMS_JOB_QUEUES: '{}',
  HMS_JWKS_URI: 'https://issuer.example/jwks',
  HMS_PUSH_ENDPOINT: 'https://push.example/v1',
  HMS_PUSH_QUEUE: 'https://sqs.us-east-1.amazonaws.com/000000000000/push.fifo',
  HMS_PUSH_URL: 'wss://push.example/v1',
  HMS_RATE_LIMIT_CLIENT: '50:100',
  HMS_RATE_LIMIT_TENANT: '100:200',
  HMS_SECRETS_KEY: 'k',
  HMS_SECRETS_PREFIX: 'hms/test',
  HMS_STATE_MACHINE: 'arn:aws:states:us-east-1:000000000000:stateMachine:hms-test-rollout',
  HMS_STREAM_MAX_S: '1',
  HMS_TABLE: 't',
  HMS_TOKEN_URL: 'https://issuer.example/token',
};
