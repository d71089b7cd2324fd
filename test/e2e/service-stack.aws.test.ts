import { expect, it, onTestFinished } from 'vitest';
import { deployedClient, deployedService } from '../support/deployed-service.ts';
import { runHms } from '../support/run-hms.ts';
import { clientFor } from '../support/service-client.ts';
import { temporaryFolder } from '../support/start-local-server.ts';

const aws = ['AWS_ENDPOINT_URL', 'AWS_REGION', 'AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY'];
const timeout = 180_000;

it(
  'deployed: a new service runs on AWS, and lets in nobody but the gateway',
  { timeout },
  async () => {
    const { HMS_TEST_OUTPUTS = '' } = process.env;
    const editor = await deployedClient('demo-editor');
    const place = {
      cwd: temporaryFolder(),
      env: {
        ...Object.fromEntries(aws.map((name) => [name, process.env[name] ?? ''])),
        HMS_CLIENT_ID: editor.clientId,
        HMS_CLIENT_SECRET: editor.clientSecret,
      },
    };
    const name = 'payment-ledger';
    const deploy = ['deploy', name, '--aws', '--stage', 'emulator', '--outputs', HMS_TEST_OUTPUTS];
    await runHms(['new-service', name], place);
    let isStopped = false;
    onTestFinished(async () => {
      if (!isStopped) await runHms([...deploy, '--stop'], place);
    });
    const deployed = await runHms(deploy, place);
    expect(deployed.code, deployed.stderr).toBe(0);
    expect(deployed.stdout).toContain('payment-ledger is green');

    const portal = await clientFor(await deployedService(), 'demo-service');
    const called = await portal.fetch('GET', `/svc/${name}/hello?to=ma+ya&b=%7e&a`);
    expect(called.status, called.text).toBe(200);
    expect(JSON.parse(called.text)).toMatchObject({ tenant: 'demo' });

    const [, url = ''] = /leads to (\S+)/.exec(deployed.stdout) ?? [];
    const direct = async (path: string, headers: Record<string, string> = {}) =>
      (await fetch(url + path, { headers })).status;
    const forged = { 'x-hms-tenant': 'demo', 'x-hms-actor': 'maya', 'x-hms-signature': 'v1,aaaa' };
    expect(await direct('/health')).toBe(200);
    expect(await direct('/hello')).toBe(401);
    expect(await direct('/hello', forged)).toBe(401);

    const stopped = await runHms([...deploy, '--stop'], place);
    isStopped = true;
    expect(stopped.stdout, stopped.stderr).toContain(
      'its stack is gone, and it is no longer registered',
    );
    expect((await portal.fetch('GET', `/svc/${name}/hello`)).status).toBe(404);
    expect(await direct('/health')).toBe(404);
  },
);
