import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { serviceManifest } from '../../../src/contract/service-schemas.ts';
import { runCli } from '../../support/run-cli.ts';

const files = [
  'README.md',
  'manifest.yaml',
  'serve.ts',
  'service.test.ts',
  'service.ts',
  'signatures.ts',
  'verify-call.ts',
  'verify-webhook.ts',
];

describe('hms new-service', () => {
  let cwd = '';
  beforeEach(() => {
    cwd = mkdtempSync(join(tmpdir(), 'hms-new-'));
  });
  afterEach(() => rmSync(cwd, { recursive: true, force: true }));

  it('writes a service whose own test passes', async () => {
    const ran = await runCli(['new-service', 'payment-ledger'], { cwd });
    expect(ran.stderr).toBe('');
    expect(ran.stdout).toContain('hms-svc deploy payment-ledger');
    const folder = join(cwd, 'services/payment-ledger');
    expect(readdirSync(folder).toSorted()).toEqual(files);
    const tested = spawnSync(process.execPath, ['--test', 'service.test.ts'], {
      cwd: folder,
      encoding: 'utf8',
      env: { PATH: process.env['PATH'] },
    });
    expect(tested.status, tested.stdout).toBe(0);
    expect(tested.stdout).toContain('pass 7');
  });

  it('names it everywhere, in a manifest that the registry takes', async () => {
    await runCli(['new-service', 'payment-ledger'], { cwd });
    const folder = join(cwd, 'services/payment-ledger');
    const texts = files.map((file) => readFileSync(join(folder, file), 'utf8')).join('\n');
    expect(texts).not.toContain('new-service');
    const written = parse(readFileSync(join(folder, 'manifest.yaml'), 'utf8')) as object;
    const manifest = serviceManifest.parse({ ...written, url: 'http://127.0.0.1:4000' });
    expect(manifest).toMatchObject({
      name: 'payment-ledger',
      routes: ['/hello'],
      events: { subscribes: [{ type: 'greeting-sent', path: '/events' }] },
    });
  });

  it('leaves alone what is there', async () => {
    await runCli(['new-service', 'payment-ledger'], { cwd });
    const file = join(cwd, 'services/payment-ledger/service.ts');
    rmSync(file);
    const again = await runCli(['new-service', 'payment-ledger'], { cwd });
    expect(again).toMatchObject({ code: 1, stdout: '' });
    expect(again.stderr).toContain('services/payment-ledger is there already');
    expect(readdirSync(join(cwd, 'services/payment-ledger'))).not.toContain('service.ts');
  });

  it.each(['Ledger', '1st', 'a_b', '../up', 'a'.repeat(64), ''])(
    'refuses the name %j',
    async (name) => {
      const ran = await runCli(['new-service', name], { cwd });
      expect(ran).toMatchObject({ code: 2, stdout: '' });
      expect(ran.stderr).toContain('is no name for a service');
      expect(readdirSync(cwd)).toEqual([]);
    },
  );
});
