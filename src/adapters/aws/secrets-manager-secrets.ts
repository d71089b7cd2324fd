import {
  CreateSecretCommand,
  DeleteSecretCommand,
  GetSecretValueCommand,
  InvalidRequestException,
  PutSecretValueCommand,
  ResourceExistsException,
  ResourceNotFoundException,
} from '@aws-sdk/client-secrets-manager';
import type { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';

import { Unavailable } from '../../core/errors/app-error.ts';
import type { Clock } from '../../ports/clock.ts';
import type { SecretRef, SecretStore } from '../../ports/secret-store.ts';
import { checkSecret, checkSecretRef } from '../runtime/secret-limits.ts';
import { awsError } from './aws-error.ts';
import { retryDelayMs } from './retry-delay.ts';

export interface SecretsManagerSecretsOptions {
  readonly client: SecretsManagerClient;
  /** Of every name, such as `hms-prod`. */
  readonly prefix: string;
  readonly clock: Clock;
  /** Encrypts new secrets; without it, the account's own key does. */
  readonly kmsKeyId?: string | undefined;
}

const maxConflicts = 5;

/**
 * A SecretStore in AWS Secrets Manager, as `<prefix>/<tenant>/<name>`. A secret is deleted at once,
 * without a time in which it could be recovered. Costs: one call each; two for a new secret.
 */
export function secretsManagerSecrets(options: SecretsManagerSecretsOptions): SecretStore {
  const { client, prefix, clock, kmsKeyId } = options;

  const nameOf = (ref: SecretRef): string => {
    checkSecretRef(ref);
    return `${prefix}/${ref.tenant}/${ref.name}`;
  };

  async function putOnce(name: string, secret: string): Promise<boolean> {
    try {
      await client.send(new PutSecretValueCommand({ SecretId: name, SecretString: secret }));
      return true;
    } catch (error) {
      if (error instanceof InvalidRequestException) return false;
      if (!(error instanceof ResourceNotFoundException)) throw translated(error);
    }
    try {
      const added = { Name: name, SecretString: secret, KmsKeyId: kmsKeyId };
      await client.send(new CreateSecretCommand(added));
      return true;
    } catch (error) {
      // Made by another put meanwhile, or still being removed by a delete.
      if (error instanceof ResourceExistsException) return false;
      if (error instanceof InvalidRequestException) return false;
      throw translated(error);
    }
  }

  return {
    async put(ref, secret) {
      const name = nameOf(ref);
      checkSecret(secret);
      for (let conflicts = 0; conflicts <= maxConflicts; conflicts++) {
        await clock.sleep(retryDelayMs(conflicts));
        if (await putOnce(name, secret)) return;
      }
      throw new Unavailable('The secret is being deleted still. Try again.');
    },

    async get(ref) {
      return read(client, nameOf(ref), 'AWSCURRENT');
    },

    async getPrevious(ref) {
      return read(client, nameOf(ref), 'AWSPREVIOUS');
    },

    async delete(ref) {
      const SecretId = nameOf(ref);
      const now = { SecretId, ForceDeleteWithoutRecovery: true };
      try {
        await client.send(new DeleteSecretCommand(now));
      } catch (error) {
        if (error instanceof ResourceNotFoundException) return;
        if (error instanceof InvalidRequestException) return;
        throw translated(error);
      }
    },
  };
}

/** Secrets Manager keeps what was there before, and moves these labels with each put. */
async function read(
  client: SecretsManagerClient,
  SecretId: string,
  VersionStage: 'AWSCURRENT' | 'AWSPREVIOUS',
): Promise<string | undefined> {
  try {
    const wanted = { SecretId, VersionStage };
    return (await client.send(new GetSecretValueCommand(wanted))).SecretString;
  } catch (error) {
    if (error instanceof ResourceNotFoundException) return undefined;
    // It is being removed.
    if (error instanceof InvalidRequestException) return undefined;
    throw translated(error);
  }
}

function translated(error: unknown): unknown {
  return awsError(error, 'The secret store');
}
