import { randomBytes } from 'node:crypto';
import { join } from 'node:path';

import { AppError } from '../../core/errors/app-error.ts';
import type { ErrorDetail } from '../../core/errors/app-error.ts';
import { scopePrefix, tenantPattern } from '../../core/identity/cognito-claims.ts';
import { roleScopes, scopes as knownScopes } from '../../core/identity/scopes.ts';
import { privateFile } from './private-file.ts';

/** One that may ask the embedded issuer for tokens. */
export interface RegisteredClient {
  /** Unique within its tenant: what a person calls it. */
  readonly name: string;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly tenant: string;
  /** As tokens carry them: `hms/read:policy`. */
  readonly scopes: readonly string[];
}

type Report = (pointer: string, detail: string) => void;

const rules = {
  name: { pattern: /^[\w.-]{1,64}$/, detail: 'must be 1 to 64 of A-Z a-z 0-9 . _ -' },
  // Characters that form encoding leaves alone: clients that forget it (RFC 6749 2.3.1) work, too.
  client_id: { pattern: /^[\w.-]{1,128}$/, detail: 'must be 1 to 128 of A-Z a-z 0-9 . _ -' },
  client_secret: { pattern: /^[\w.-]{32,256}$/, detail: 'must be 32 to 256 of A-Z a-z 0-9 . _ -' },
  tenant: {
    pattern: tenantPattern,
    detail: 'must be 1 to 63 of a-z 0-9 -, and neither begin nor end with -',
  },
};
const allowedScopes = Object.keys(knownScopes).map((scope) => scopePrefix + scope);

/**
 * The clients of the embedded issuer, from `<dataDir>/clients.json`: one for each role of the
 * tenant `demo` and a `service` of the tenant `other`, with new secrets, until someone edits it.
 * Errors: an `AppError` with a pointer for each thing that is wrong with the list, and never a
 * secret; a plain `Error` when others may read the file.
 */
export async function loadClients(dataDir: string): Promise<readonly RegisteredClient[]> {
  const path = join(dataDir, 'clients.json');
  const text = await privateFile(path, async () => firstClients());
  const details: ErrorDetail[] = [];
  const clients = parseClients(text, (pointer, detail) => details.push({ pointer, detail }));
  if (details.length === 0) return clients;
  const lines = details.map(({ pointer, detail }) => `  ${pointer || '(the file)'} ${detail}`);
  throw new AppError('internal', [`${path} is not valid:`, ...lines].join('\n'), { details });
}

function firstClients(): string {
  const clients = Object.entries(roleScopes).map(([role, held]) => newClient('demo', role, held));
  clients.push(newClient('other', 'service', roleScopes.service));
  return `${JSON.stringify(clients, undefined, 2)}\n`;
}

function newClient(tenant: string, role: string, held: readonly string[]) {
  return {
    name: role,
    client_id: `${tenant}-${role}`,
    client_secret: randomBytes(32).toString('base64url'),
    tenant,
    scopes: held.map((scope) => scopePrefix + scope),
  };
}

function parseClients(text: string, report: Report): readonly RegisteredClient[] {
  const list = parseJson(text);
  if (!Array.isArray(list)) {
    report('', 'must be a JSON array of clients');
    return [];
  }
  const clients = list.map((entry, index) => parseClient(entry, `/${index}`, report));
  reportRepeats(clients, report);
  return clients.filter((client) => client !== undefined);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // The parser's message quotes the file, and so may show a secret.
    return undefined;
  }
}

/** What it returns is good if it reported nothing. */
function parseClient(
  entry: unknown,
  pointer: string,
  report: Report,
): RegisteredClient | undefined {
  if (!isRecord(entry)) {
    report(pointer, 'must be an object');
    return undefined;
  }
  const { scopes, ...texts } = entry;
  for (const key of Object.keys(texts).filter((name) => !Object.hasOwn(rules, name))) {
    report(`${pointer}/${escaped(key)}`, 'is not a field of a client');
  }
  const text = (field: keyof typeof rules): string => {
    const value = texts[field];
    if (typeof value === 'string' && rules[field].pattern.test(value)) return value;
    report(`${pointer}/${field}`, rules[field].detail);
    return '';
  };
  return {
    name: text('name'),
    clientId: text('client_id'),
    clientSecret: text('client_secret'),
    tenant: text('tenant'),
    scopes: parseScopes(scopes, `${pointer}/scopes`, report),
  };
}

function parseScopes(value: unknown, pointer: string, report: Report): readonly string[] {
  if (!Array.isArray(value)) {
    report(pointer, 'must be an array of scopes');
    return [];
  }
  const found = new Set<string>();
  for (const [index, item] of value.entries()) {
    const scope = allowedScopes.find((allowed) => allowed === item);
    if (scope === undefined) {
      report(`${pointer}/${index}`, `must be one of ${allowedScopes.join(', ')}`);
    } else if (found.has(scope)) report(`${pointer}/${index}`, 'is there twice');
    else found.add(scope);
  }
  return [...found];
}

function reportRepeats(clients: readonly (RegisteredClient | undefined)[], report: Report): void {
  const ids = new Set<string>();
  const names = new Set<string>();
  for (const [index, client] of clients.entries()) {
    if (client === undefined) continue;
    const { clientId, tenant, name } = client;
    const fullName = `${tenant} ${name}`;
    if (clientId !== '' && ids.has(clientId)) report(`/${index}/client_id`, 'is there twice');
    if (name !== '' && names.has(fullName)) report(`/${index}/name`, 'is there twice');
    ids.add(clientId);
    names.add(fullName);
  }
}

/** For an RFC 6901 pointer. */
function escaped(key: string): string {
  return key.replaceAll('~', '~0').replaceAll('/', '~1');
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
