import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { changeOperations } from '../../src/contract/operations/change-operations.ts';
import { localTokens } from '../support/local-service.ts';
import { runHms } from '../support/run-hms.ts';
import { type ServiceClient, serviceClient } from '../support/service-client.ts';
import { type SmtpSink, startSmtpSink } from '../support/start-smtp-sink.ts';
import { type LocalServer, startLocalServer } from '../support/start-local-server.ts';

const root = join(import.meta.dirname, '../..');
const example = 'examples/housing';
const email = 'maya@example.org';
const deployMs = 60_000;

describe('Maya applies for a housing voucher', () => {
  let sink: SmtpSink;
  let server: LocalServer;
  let editor: ServiceClient;
  let portal: ServiceClient;
  beforeAll(async () => {
    sink = await startSmtpSink();
    server = await startLocalServer({ env: { HMS_ALLOW_PRIVATE_TARGETS: '1' } });
    const token = localTokens(server);
    editor = serviceClient(server.baseUrl, await token('demo-editor'));
    portal = serviceClient(server.baseUrl, await token('demo-service'));
    await publish(await readFile(join(root, example, 'MAX_INCOME.yaml'), 'utf8'));
    await deploy('receipts');
    await deploy('eligibility');
  }, 2 * deployMs);
  afterAll(async () => {
    await deploy('eligibility', '--stop');
    await deploy('receipts', '--stop');
    await server.stop();
    await sink[Symbol.asyncDispose]();
  }, deployMs);

  async function publish(rule: string): Promise<void> {
    await editor.call(changeOperations.publishPolicy, {
      params: { id: 'MAX_INCOME' },
      headers: { 'x-channel': 'prod' },
      bytes: rule,
      contentType: 'application/yaml',
    });
  }

  async function deploy(name: string, ...rest: string[]): Promise<void> {
    const ran = await runHms(['deploy', `${example}/${name}`, ...rest], {
      cwd: root,
      env: {
        HMS_URL: server.baseUrl,
        HMS_DATA_DIR: server.dataDir,
        SMTP_URL: `smtp://127.0.0.1:${sink.port}`,
      },
    });
    expect(ran.stderr).toBe('');
  }

  async function apply(income: number) {
    const answer = await portal.fetch('POST', '/svc/voucher-eligibility/check', {
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ income, email }),
    });
    expect(answer.status, answer.text).toBe(200);
    return JSON.parse(answer.text) as { readonly eligible: boolean; readonly limit: number };
  }

  it('is eligible by the rule in force, and has her receipt in her mailbox', async () => {
    expect(await apply(52_000)).toEqual({ eligible: true, limit: 80_000 });
    await expect.poll(() => sink.mails.length, { timeout: 15_000 }).toBe(1);
    expect(sink.mails[0]).toMatchObject({ to: [email] });
    expect(sink.mails[0]?.raw).toContain('income limit that applies is 80000 dollars');
  });

  it('is told no above the limit, and gets no receipt; the limit may change at any time', async () => {
    const mailsBefore = sink.mails.length;
    expect(await apply(80_001)).toEqual({ eligible: false, limit: 80_000 });
    await publish('id: MAX_INCOME\nversion: 1.1.0\nvalue: 90000\nunits: usd_per_year\n');
    expect(await apply(80_001)).toEqual({ eligible: true, limit: 90_000 });
    await expect.poll(() => sink.mails.length, { timeout: 15_000 }).toBe(mailsBefore + 1);
    // Of the second application alone: the first one would have come before it.
    expect(sink.mails.at(-1)?.raw).toContain('is 90000 dollars');
  });

  it('sees both services green', async () => {
    const { text } = await portal.fetch('GET', '/health');
    expect(JSON.parse(text)).toMatchObject({
      services: {
        'voucher-eligibility': { status: 'green' },
        'voucher-receipts': { status: 'green' },
      },
    });
  });
});
