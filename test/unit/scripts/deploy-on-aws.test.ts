import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ServiceSpec } from '../../../lib/service-spec.ts';
import { type AwsPlace, awsPlace } from '../../../scripts/service-on-aws/aws-place.ts';
import { deployOnAws, stopOnAws } from '../../../scripts/service-on-aws/deploy-on-aws.ts';
import type { ServiceCloud } from '../../../scripts/service-on-aws/service-cloud.ts';
import { type FakeHms, startFakeHms } from '../../support/start-fake-hms.ts';

const secret = 'whsec_c2VjcmV0';
const stack = 'hms-dev-service-demo-ledger';
const place = { stack, url: 'https://x.lambda-url.us-east-1.on.aws', secretArn: 'arn:secret' };

describe('hms deploy --aws', () => {
  const folder = mkdtempSync(join(tmpdir(), 'hms-aws-'));
  let hms: FakeHms;
  let at: AwsPlace;
  /** What is done, in its order, in HMS and in AWS. */
  let done: string[];
  let specs: ServiceSpec[];
  let told: unknown;
  let cloud: ServiceCloud;

  beforeEach(async () => {
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'service.ts'), '');
    const manifest = 'name: ledger\nroutes: [/balance]\ntimeoutMs: 30000\n';
    writeFileSync(join(folder, 'manifest.yaml'), manifest);
    done = [];
    specs = [];
    hms = await startFakeHms();
    const answers = (name: string, status: number, json: unknown = {}) => {
      hms.answers[name] = () => {
        done.push(name);
        return { status, json };
      };
    };
    const claims = Buffer.from('{"tenant":"demo"}').toString('base64url');
    hms.answers['POST /oauth2/token'] = () => ({
      status: 200,
      json: { access_token: `h.${claims}.s` },
    });
    answers('GET /services?limit=1', 200);
    answers('PUT /services/ledger', 201);
    answers('POST /services/ledger/secret', 200, { secret });
    answers('DELETE /services/ledger', 404);
    answers('GET /health', 200, { services: { ledger: { status: 'green', reason: '' } } });
    cloud = {
      deploy: async (spec) => {
        done.push('deploy');
        specs.push(spec);
        return place;
      },
      putSecret: async (arn, settings) => {
        done.push('put secret');
        told = { arn, settings };
      },
      destroy: async (spec) => {
        done.push('destroy');
        specs.push(spec);
      },
    };
    at = {
      stage: 'dev',
      url: hms.url,
      tokenUrl: `${hms.url}/oauth2/token`,
      clientId: 'demo-editor',
      clientSecret: 'hush',
      serviceClient: null,
      alarmTopicArn: null,
    };
  });
  afterEach(async () => {
    await hms[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true });
  });

  it('makes the stack, registers where it is, and gives it the secret before any call', async () => {
    const said = await deployOnAws(folder, at, cloud);
    expect(done).toEqual([
      'GET /services?limit=1',
      'deploy',
      'PUT /services/ledger',
      'POST /services/ledger/secret',
      'put secret',
      'PUT /services/ledger',
      'GET /health',
    ]);
    expect(specs).toEqual([
      {
        name: 'ledger',
        tenant: 'demo',
        folder,
        timeoutMs: 30_000,
        hmsUrl: hms.url,
        tokenUrl: at.tokenUrl,
        alarmTopicArn: null,
      },
    ]);
    const put = hms.calls.find(({ name }) => name === 'PUT /services/ledger');
    expect(JSON.parse(put?.body ?? '')).toMatchObject({ name: 'ledger', url: place.url });
    expect(told).toEqual({ arn: place.secretArn, settings: { HMS_SERVICE_SECRET: secret } });
    expect(said).toContain(`curl -sS ${hms.url}/svc/ledger/balance -H "Authorization: Bearer `);
    expect(said).not.toContain(secret);
  });

  it('gives the service a client of its own, and never that of who deploys', async () => {
    const own = { clientId: 'demo-service', clientSecret: 'own' };
    await deployOnAws(folder, { ...at, serviceClient: own }, cloud);
    expect(told).toMatchObject({
      settings: {
        HMS_SERVICE_SECRET: secret,
        HMS_CLIENT_ID: 'demo-service',
        HMS_CLIENT_SECRET: 'own',
      },
    });
    expect(JSON.stringify([specs, told])).not.toContain('hush');
  });

  it('makes nothing where HMS does not know the client', async () => {
    hms.answers['GET /services?limit=1'] = () => ({
      status: 401,
      json: { code: 'unauthenticated', detail: 'Who is that?' },
    });
    await expect(deployOnAws(folder, at, cloud)).rejects.toThrow('Who is that?');
    hms.answers['POST /oauth2/token'] = () => ({ status: 401, json: { error: 'invalid_client' } });
    await expect(deployOnAws(folder, at, cloud)).rejects.toThrow('gives demo-editor no token');
    expect(done).toEqual([]);
  });

  it('says what is there when HMS refuses the manifest', async () => {
    hms.answers['PUT /services/ledger'] = () => ({
      status: 400,
      json: {
        code: 'invalid_request',
        detail: 'Not valid.',
        errors: [{ pointer: '/routes/0', detail: 'no path' }],
      },
    });
    await expect(deployOnAws(folder, at, cloud)).rejects.toMatchObject({
      message: 'Not valid. (invalid_request)\n  /routes/0  no path',
      next: [expect.stringContaining(`The stack ${stack} is there`) as string],
    });
  });

  it('stops by taking it out of the registry first, whatever is there', async () => {
    expect(await stopOnAws(folder, at, cloud)).toContain('it is not registered');
    hms.answers['DELETE /services/ledger'] = () => {
      done.push('DELETE /services/ledger');
      return { status: 204 };
    };
    expect(await stopOnAws(folder, at, cloud)).toContain('it is no longer registered');
    const order = ['DELETE /services/ledger', 'destroy'];
    expect(done).toEqual([...order, ...order]);
    expect(specs.map(({ tenant, name }) => [tenant, name])).toEqual([
      ['demo', 'ledger'],
      ['demo', 'ledger'],
    ]);
  });

  it('is told where HMS is by the outputs of its stacks, and else by the environment', async () => {
    const file = join(folder, 'outputs.json');
    const outputs = {
      'hms-dev-api': { ApiUrl: 'https://api.example/v1' },
      'hms-dev-identity': { TokenUrl: 'https://login.example/oauth2/token' },
      'hms-dev-watch': { AlarmTopicArn: 'arn:topic' },
    };
    writeFileSync(file, JSON.stringify(outputs));
    const client = { HMS_CLIENT_ID: 'demo-editor', HMS_CLIENT_SECRET: 'hush' };
    const env = { ...client, HMS_URL: 'https://other.example' };
    expect(await awsPlace({ outputsFile: file }, env)).toEqual({
      stage: 'dev',
      url: 'https://api.example/v1',
      tokenUrl: 'https://login.example/oauth2/token',
      clientId: 'demo-editor',
      clientSecret: 'hush',
      serviceClient: null,
      alarmTopicArn: 'arn:topic',
    });
    const more = { HMS_TOKEN_URL: 'https://t.example', HMS_SERVICE_CLIENT_ID: 'own' };
    expect(await awsPlace({ stage: 'prod' }, { ...env, ...more })).toMatchObject({
      stage: 'prod',
      url: 'https://other.example',
      tokenUrl: 'https://t.example',
      serviceClient: { clientId: 'own' },
      alarmTopicArn: null,
    });
    await expect(awsPlace({}, { HMS_URL: 'https://x.example', HMS_CLIENT_ID: '' })).rejects.toThrow(
      'Set HMS_TOKEN_URL, HMS_CLIENT_ID, HMS_CLIENT_SECRET:',
    );
    await expect(awsPlace({ outputsFile: `${file}x` }, env)).rejects.toThrow('Cannot read');
  });
});
