import {
  CreateSecretCommand,
  DeleteSecretCommand,
  GetSecretValueCommand,
  InvalidRequestException,
  PutSecretValueCommand,
  ResourceExistsException,
  ResourceNotFoundException,
  SecretsManagerClient,
  SecretsManagerServiceException,
} from '@aws-sdk/client-secrets-manager';
import { mockClient } from 'aws-sdk-client-mock';
import { describe, expect, it } from 'vitest';
import { secretsManagerSecrets } from '../../../src/adapters/aws/secrets-manager-secrets.ts';
import { Unavailable } from '../../../src/core/errors/app-error.ts';

const ref = { tenant: 'demo', name: 'partner/acme' };
const name = 'hms/demo/partner/acme';
const meta = { message: 'no', $metadata: {} };

function setUp() {
  const client = new SecretsManagerClient({ region: 'us-east-1' });
  const mock = mockClient(client);
  const sleptMs: number[] = [];
  const clock = { nowMs: () => 0, sleep: async (ms: number) => void sleptMs.push(ms) };
  const options = { client, prefix: 'hms', clock, kmsKeyId: 'alias/hms' };
  return { mock, sleptMs, secrets: secretsManagerSecrets(options) };
}

describe('put', () => {
  it('is one call for a secret that is there', async () => {
    const { mock, secrets } = setUp();
    mock.on(PutSecretValueCommand).resolves({});
    await secrets.put(ref, 'hush');
    expect(mock.calls()).toHaveLength(1);
    expect(mock.call(0).args[0].input).toMatchObject({ SecretId: name, SecretString: 'hush' });
  });

  it('makes a new one, encrypted with our key', async () => {
    const { mock, secrets } = setUp();
    mock.on(PutSecretValueCommand).rejects(new ResourceNotFoundException(meta));
    mock.on(CreateSecretCommand).resolves({});
    await secrets.put(ref, 'hush');
    const created = { Name: name, SecretString: 'hush', KmsKeyId: 'alias/hms' };
    expect(mock.call(1).args[0].input).toMatchObject(created);
  });

  it.each([
    ['another put makes it meanwhile', new ResourceExistsException(meta)],
    ['it is being deleted still', new InvalidRequestException(meta)],
  ])('tries again, later, when %s', async (_, error) => {
    const { mock, sleptMs, secrets } = setUp();
    const absent = new ResourceNotFoundException(meta);
    mock.on(PutSecretValueCommand).rejectsOnce(absent).resolves({});
    mock.on(CreateSecretCommand).rejects(error);
    await secrets.put(ref, 'hush');
    expect(mock.calls()).toHaveLength(3);
    expect(sleptMs).toEqual([0, expect.any(Number)]);
    expect(sleptMs[1]).toBeGreaterThan(0);
  });

  it('gives up when that goes on', async () => {
    const { mock, secrets } = setUp();
    mock.on(PutSecretValueCommand).rejects(new InvalidRequestException(meta));
    await expect(secrets.put(ref, 'hush')).rejects.toThrow(Unavailable);
    expect(mock.calls()).toHaveLength(6);
  });
});

describe('get', () => {
  it('is one call', async () => {
    const { mock, secrets } = setUp();
    mock.on(GetSecretValueCommand, { SecretId: name }).resolves({ SecretString: 'hush' });
    expect(await secrets.get(ref)).toBe('hush');
    expect(mock.calls()).toHaveLength(1);
  });

  it('has none where there is none, or it is being deleted', async () => {
    const { mock, secrets } = setUp();
    mock
      .on(GetSecretValueCommand)
      .rejectsOnce(new ResourceNotFoundException(meta))
      .rejects(new InvalidRequestException(meta));
    expect(await secrets.get(ref)).toBeUndefined();
    expect(await secrets.get(ref)).toBeUndefined();
  });
});

it('deletes for good at once, and what is gone already', async () => {
  const { mock, secrets } = setUp();
  mock
    .on(DeleteSecretCommand)
    .resolvesOnce({})
    .rejectsOnce(new ResourceNotFoundException(meta))
    .rejects(new InvalidRequestException(meta));
  for (let i = 0; i < 3; i++) await secrets.delete(ref);
  const now = { SecretId: name, ForceDeleteWithoutRecovery: true };
  expect(mock.call(0).args[0].input).toEqual(now);
});

it.each([
  ['ThrottlingException', 400, true],
  ['InternalServiceError', 500, true],
  ['AccessDeniedException', 400, false],
  ['DecryptionFailure', 400, false],
])('throws %s as what it is', async (code, httpStatusCode, isTransient) => {
  const { mock, secrets } = setUp();
  const $metadata = { httpStatusCode };
  const error = new SecretsManagerServiceException({ name: code, $fault: 'client', $metadata });
  mock.rejects(error);
  for (const call of [
    () => secrets.put(ref, 'x'),
    () => secrets.get(ref),
    () => secrets.delete(ref),
  ]) {
    const thrown = await call().catch((caught: unknown) => caught);
    if (isTransient) expect(thrown).toBeInstanceOf(Unavailable);
    else expect(thrown).toBe(error);
  }
});
