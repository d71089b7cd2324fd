import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { allOperations } from '../../../src/contract/operations/all-operations.ts';
import { openApiDocument } from '../../../src/contract/openapi.ts';
import { problems, problemsOf } from '../../../src/contract/problems.ts';
import { scopes } from '../../../src/core/identity/scopes.ts';

// The structure of https://spec.openapis.org/oas/v3.1.0, as far as we use it, and no further.
const jsonSchema = z.record(z.string(), z.json());
const mediaTypes = z.record(
  z.string().regex(/^[\w*.+-]+\/[\w*.+-]+$/),
  z.strictObject({ schema: jsonSchema.optional() }),
);
const text = z.string().min(1);
const parameter = z
  .strictObject({
    name: text,
    in: z.enum(['path', 'query', 'header']),
    required: z.boolean(),
    description: text.optional(),
    schema: jsonSchema,
  })
  .refine((each) => each.in !== 'path' || each.required, 'a path parameter is required')
  .refine(
    (each) =>
      each.in !== 'header' || !['accept', 'content-type', 'authorization'].includes(each.name),
    'is ignored as a parameter',
  );
const response = z.strictObject({
  description: text,
  headers: z
    .record(z.string(), z.strictObject({ description: text, schema: jsonSchema }))
    .optional(),
  content: mediaTypes.optional(),
});
const operation = z.strictObject({
  operationId: z.string().regex(/^[a-z][A-Za-z]+$/),
  tags: z.array(text).min(1),
  summary: text,
  description: text.optional(),
  security: z.array(z.strictObject({ oauth2: z.array(text) })),
  parameters: z.array(parameter),
  requestBody: z
    .strictObject({ required: z.boolean(), description: text.optional(), content: mediaTypes })
    .optional(),
  responses: z.record(z.string().regex(/^[2-5]\d\d$/), response),
});
const documentSchema = z.strictObject({
  openapi: z.literal('3.1.0'),
  info: z.strictObject({
    title: text,
    version: text,
    description: text,
    license: z.strictObject({ name: text, identifier: text }),
  }),
  servers: z.array(z.strictObject({ url: text })),
  paths: z.record(
    z.string().startsWith('/'),
    z.partialRecord(z.enum(['get', 'post', 'put', 'patch', 'delete', 'options']), operation),
  ),
  components: z.strictObject({
    schemas: z.record(z.string().regex(/^[A-Za-z0-9._-]+$/), jsonSchema),
    securitySchemes: z.strictObject({
      oauth2: z.strictObject({
        type: z.literal('oauth2'),
        flows: z.strictObject({
          clientCredentials: z.strictObject({ tokenUrl: z.url(), scopes: z.record(text, text) }),
        }),
      }),
    }),
  }),
});

const tokenUrl = 'http://127.0.0.1:8787/oauth2/token';
const raw: unknown = JSON.parse(JSON.stringify(openApiDocument(allOperations, tokenUrl)));
const document = documentSchema.parse(raw);
const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, described]) => Object.assign(described, { path, method })),
);

/** Every object within a value, with the names that lead to it. */
function* objectsIn(value: unknown, at = ''): Generator<[string, Record<string, unknown>]> {
  if (typeof value !== 'object' || value === null) return;
  if (!Array.isArray(value)) yield [at, value as Record<string, unknown>];
  for (const [name, held] of Object.entries(value)) yield* objectsIn(held, `${at}/${name}`);
}

describe('the OpenAPI document', () => {
  it('documents every operation once, under an id of its own', () => {
    const ids = operations.map(({ operationId }) => operationId).sort();
    expect(ids).toEqual(allOperations.map(({ id }) => id).sort());
    expect(new Set(ids).size).toBe(ids.length);
    for (const { id, method, path } of allOperations) {
      const found = operations.find((each) => each.method === method && each.path === path);
      expect(found?.operationId).toBe(id);
    }
  });

  it.each(operations)('$operationId declares the parameters of its path, each once', (called) => {
    const inPath = [...called.path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => name);
    const declared = called.parameters.filter((each) => each.in === 'path').map(({ name }) => name);
    expect(declared.sort()).toEqual(inPath.sort());
    const keys = called.parameters.map((each) => `${each.in} ${each.name.toLowerCase()}`);
    expect(new Set(keys).size).toBe(keys.length);
  });

  it.each(operations)('$operationId declares an answer and every problem', (called) => {
    const contracted = allOperations.find(({ id }) => id === called.operationId);
    if (contracted === undefined) throw new Error(called.operationId);
    const done = Object.keys(called.responses).filter((status) => Number(status) < 400);
    expect(done).toEqual(Object.keys(contracted.responses));
    const statuses = new Set([...problemsOf(contracted)].map((code) => problems[code].status));
    const failed = Object.keys(called.responses)
      .map(Number)
      .filter((status) => status >= 400);
    expect(failed.sort((a, b) => a - b)).toEqual([...statuses].sort((a, b) => a - b));
    for (const status of failed) {
      const { content = {} } = called.responses[status] ?? {};
      const schema = { $ref: '#/components/schemas/Problem' };
      expect(content).toEqual({ 'application/problem+json': { schema } });
    }
    for (const code of problemsOf(contracted)) {
      expect(called.responses[problems[code].status]?.description).toContain(`\`${code}\``);
    }
  });

  it('names only scopes that there are', () => {
    const known = Object.keys(scopes).map((scope) => `hms/${scope}`);
    const { clientCredentials } = document.components.securitySchemes.oauth2.flows;
    expect(Object.keys(clientCredentials.scopes)).toEqual(known);
    for (const { security, operationId } of operations) {
      for (const { oauth2 } of security) {
        expect(
          oauth2.filter((scope) => !known.includes(scope)),
          operationId,
        ).toEqual([]);
      }
    }
  });

  it('refers to nothing that is not in it, and holds nothing that is not referred to', () => {
    const referred = new Set<string>();
    for (const [at, { $ref }] of objectsIn(raw)) {
      if ($ref === undefined) continue;
      const name = JSON.stringify($ref).match(/^"#\/components\/schemas\/(.+)"$/)?.[1] ?? '';
      expect(Object.keys(document.components.schemas), at).toContain(name);
      referred.add(name);
    }
    // What listeners are sent is no answer of an operation.
    for (const name of ['PolicyChange', 'PolicyEvent', 'RunEvent', 'JobEvent']) referred.add(name);
    for (const name of ['PublishedEvent', 'DeliveredEvent']) referred.add(name);
    expect(Object.keys(document.components.schemas).sort()).toEqual([...referred].sort());
  });

  it('holds sound JSON Schemas, without a trace of how they were made', () => {
    const types = ['string', 'integer', 'number', 'boolean', 'array', 'object', 'null'];
    for (const [at, schema] of objectsIn(raw)) {
      expect(Object.keys(schema), at).not.toContain('$schema');
      expect(Object.keys(schema), at).not.toContain('$defs');
      const { type, pattern, required, properties } = schema;
      if (typeof type === 'string' && type !== 'oauth2') expect(types, at).toContain(type);
      if (typeof pattern === 'string') expect(() => new RegExp(pattern, 'u'), at).not.toThrow();
      if (Array.isArray(required) && properties !== undefined) {
        expect(Object.keys(properties as object), at).toEqual(expect.arrayContaining(required));
      }
    }
  });

  it('gives examples that are good', () => {
    let examples = 0;
    for (const { id, params, query, headers } of allOperations) {
      for (const [name, schema] of Object.entries({
        ...params.shape,
        ...query.shape,
        ...headers.shape,
      })) {
        const { example } = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' });
        if (example === undefined) continue;
        examples += 1;
        expect(schema.safeParse(example).success, `${id}: ${name}`).toBe(true);
      }
    }
    expect(examples).toBeGreaterThan(5);
  });
});
