import { resolve } from 'node:path';
import { defaultRateLimits, type RateLimits, rateFrom } from '../core/limits/rate-limits.ts';

export interface LocalConfig {
  /** 0 for any free one. */
  readonly port: number;
  readonly dataDir: string;
  readonly logLevel: 'debug' | 'info' | 'warn' | 'error';
  /** Partners on this machine or in a private network may be told. */
  readonly allowPrivateTargets: boolean;
  /** What becomes of a job when no governance rules are in force. */
  readonly governanceDefault: 'allow' | 'deny';
  /** How often callers may call. */
  readonly limits: RateLimits;
  /** Null: no mail. */
  readonly mail: { readonly url: string; readonly from: string } | null;
}

const tenantLimit = 'HMS_RATE_LIMIT_TENANT';
const clientLimit = 'HMS_RATE_LIMIT_CLIENT';

/** Reads the environment of `npm start`. Errors: one that names the variable and what it may be. */
export function localConfig(env: Readonly<Record<string, string | undefined>>): LocalConfig {
  const port = Number(env['PORT'] || 8787);
  if (!Number.isInteger(port) || port < 0 || port > 65_535) {
    throw new Error(`PORT is "${env['PORT']}": give a number from 0 to 65535.`);
  }
  return {
    port,
    dataDir: resolve(env['HMS_DATA_DIR'] || '.hms'),
    logLevel: logLevel(env['HMS_LOG_LEVEL'] ?? 'info'),
    allowPrivateTargets: env['HMS_ALLOW_PRIVATE_TARGETS'] === '1',
    governanceDefault: governanceDefault(env['HMS_GOVERNANCE_DEFAULT']),
    limits: {
      tenant: rateFrom(tenantLimit, env[tenantLimit], defaultRateLimits.tenant),
      client: rateFrom(clientLimit, env[clientLimit], defaultRateLimits.client),
    },
    mail: mail(env['HMS_SMTP_URL'], env['HMS_MAIL_FROM']),
  };
}

function logLevel(text: string): LocalConfig['logLevel'] {
  if (text === 'debug' || text === 'info' || text === 'warn' || text === 'error') return text;
  throw new Error(`HMS_LOG_LEVEL is "${text}": give debug, info, warn or error.`);
}

/** Errors: one that names the variable and what it may be. */
export function governanceDefault(text: string | undefined): LocalConfig['governanceDefault'] {
  if (text === undefined || text === '' || text === 'allow') return 'allow';
  if (text === 'deny') return 'deny';
  throw new Error(`HMS_GOVERNANCE_DEFAULT is "${text}": give allow or deny.`);
}

function mail(url: string | undefined, from: string | undefined): LocalConfig['mail'] {
  if (url === undefined || url === '') return null;
  if (from === undefined || from === '') {
    throw new Error('HMS_SMTP_URL needs HMS_MAIL_FROM: the address that mail comes from.');
  }
  return { url, from };
}
