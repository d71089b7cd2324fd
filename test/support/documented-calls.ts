import { expect } from 'vitest';
import { makePdf } from './make-pdf.ts';
import { packageOf, ruleYaml } from './policy-documents.ts';

/** What the OpenAPI document says of an operation, as far as a caller needs it. */
export interface DocumentedCall {
  readonly operationId: string;
  readonly method: string;
  readonly path: string;
  /** What a token must carry; none for an open operation. */
  readonly scopes: readonly string[];
  readonly parameters: readonly {
    readonly name: string;
    readonly in: 'path' | 'query' | 'header';
    readonly required: boolean;
  }[];
  readonly contentTypes: readonly string[];
}

/** What to put in place of the parameters. */
export interface Values {
  readonly id: string;
  readonly snapshot: string;
  readonly digest: string;
  readonly channel?: string;
  readonly run?: string;
  readonly ticket?: string;
  readonly delivery?: string;
  readonly suite?: string;
  /** Of a partner, of reference data, and of a service. */
  readonly name?: string;
  /** A single rule, which is a policy. */
  readonly rule?: string;
  readonly job?: string;
  readonly case?: string;
  readonly claim?: string;
  /** Below a service that is called. */
  readonly path?: string;
  /** A file of the documentation's page. */
  readonly asset?: string;
}

/** Names that fit every parameter, and that nothing has. */
export const unusedNames = {
  channel: 'test',
  run: '999999999',
  ticket: 'run-999999999-approval',
  delivery: '999999999_released_nobody_01a1fa1c-4906-7065-9f47-fcf9f8ab7a80',
  suite: 'no-such-suite',
  name: 'no-such-name',
  rule: 'NO_SUCH_RULE',
  job: '01a1fa1c-4906-7065-9f47-fcf9f8ab7a80',
  case: 'CASE-999999999',
  claim: 'CLM-999999999',
  path: 'no-such-route',
} as const;

interface Described {
  readonly operationId: string;
  readonly security: readonly { readonly oauth2?: readonly string[] }[];
  readonly parameters: DocumentedCall['parameters'];
  readonly requestBody?: { readonly content: Readonly<Record<string, unknown>> };
}

/** Every operation of the service, as it describes itself. */
export async function documentedCalls(baseUrl: string): Promise<readonly DocumentedCall[]> {
  const response = await fetch(`${baseUrl}/openapi.json`);
  const { paths } = (await response.json()) as {
    paths: Readonly<Record<string, Readonly<Record<string, Described>>>>;
  };
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { operationId, security, parameters, requestBody }]) => ({
      operationId,
      method: method.toUpperCase(),
      path,
      scopes: security.flatMap(({ oauth2 = [] }) => oauth2),
      parameters,
      contentTypes: Object.keys(requestBody?.content ?? {}),
    })),
  );
}

/** Query parameters that some operation demands. */
const queries: Readonly<Record<string, string>> = {
  from: 'prod',
  to: 'prod',
  name: 'a.txt',
  near: '38.5,-98.2',
};

const lease = unusedNames.job;

/** Bodies that are neither JSON nor a package, by content type. */
const files: Readonly<Record<string, () => string | Uint8Array<ArrayBuffer>>> = {
  'application/pdf': () => makePdf(),
  'application/geo+json': () => JSON.stringify({ type: 'FeatureCollection', features: [] }),
};

/** Bodies in JSON, by operation. */
const bodies: Readonly<Record<string, (values: Values) => unknown>> = {
  rollbackPolicy: () => ({}),
  promotePolicy: () => ({ from: 'dev', to: 'prod' }),
  queryGraph: () => ({ query: '{policies(first:200){id rule}}' }),
  createRun: ({ id, snapshot }) => ({ policies: [{ id, snapshot }] }),
  abortRun: () => ({}),
  putChannel: () => ({}),
  decideTicket: () => ({ decision: 'approve' }),
  putSuite: ({ id }) => ({
    policies: [id],
    decision: '"yes"',
    scenarios: [{ name: 'one', input: {}, recorded: 'yes' }],
  }),
  putPartner: () => ({ kind: 'email', to: ['air@state.example'] }),
  reportAlert: ({ id }) => ({
    policy: id,
    snapshot: 'v2026-01-01-0000-00000000',
    fingerprint: 'smoke',
    severity: 'info',
    message: 'smoke',
  }),
  reportReceipts: ({ id }) => ({
    policy: id,
    snapshot: 'v2026-01-01-0000-00000000',
    status: 'applied',
  }),
  putService: ({ name }) => ({ name, url: 'https://service.example' }),
  rotateSecret: () => ({}),
  publishEvent: () => ({ type: 'smoke.told', data: null }),
  enqueueJob: () => ({ type: 'smoke.test', data: null }),
  retryJob: () => ({}),
  leaseJobs: () => ({ types: ['smoke.test'] }),
  heartbeatJob: () => ({ lease }),
  reportProgress: () => ({ lease, percent: 1 }),
  completeJob: () => ({ lease }),
  failJob: () => ({ lease, message: 'smoke' }),
  openUpload: () => ({ sizeBytes: 1, sha256: '0'.repeat(64) }),
};

/**
 * The request that a call makes with these values. Throws for a parameter or a body that it does
 * not know: so no operation is ever added without being told here how to call it.
 */
export function requestFor(
  call: DocumentedCall,
  values: Values,
): { readonly method: string; readonly path: string; readonly init: RequestInit } {
  const { operationId, method, contentTypes } = call;
  const path = call.path.replaceAll(/\{(\w+)\}/g, (_, name: string) => {
    const value = Object.entries(values).find(([key]) => key === name)?.[1];
    return encodeURIComponent(known(value, `${operationId}: a value for {${name}}`));
  });
  const query = new URLSearchParams(
    call.parameters
      .filter((parameter) => parameter.in === 'query' && parameter.required)
      .map(({ name }): [string, string] => [
        name,
        known(queries[name], `${operationId}: a value for ?${name}=`),
      ]),
  ).toString();
  const target = query === '' ? path : `${path}?${query}`;
  const [contentType] = contentTypes;
  if (contentType === undefined) return { method, path: target, init: {} };
  const body =
    contentType === 'application/json'
      ? JSON.stringify(known(bodies[operationId], `${operationId}: a body in JSON`)(values))
      : (files[contentType]?.() ?? packageOf(ruleYaml(values.id)));
  const type = contentType === '*/*' ? 'text/plain' : contentType;
  return { method, path: target, init: { body, headers: { 'content-type': type } } };
}

function known<T>(value: T | undefined, what: string): T {
  expect(value, `${what} is to be told in test/support/documented-calls.ts`).toBeDefined();
  return value as T;
}
