import * as z from 'zod';
import { scopes } from '../core/identity/scopes.ts';
import type { ErrorCode } from '../core/errors/app-error.ts';
import { deliveredEvent, publishedEvent } from './event-schemas.ts';
import { jobEvent } from './job-events.ts';
import type { Operation, RequestBody, ResponseShape } from './operation.ts';
import { policyChange, policyEvent } from './policy-events.ts';
import { problemSchema } from './problem-schema.ts';
import { problems, problemsOf } from './problems.ts';
import { runEvent } from './run-events.ts';

type JsonObject = Record<string, unknown>;

/**
 * The OpenAPI 3.1 document of the API, from the very operations and schemas that serve it.
 * `tokenUrl` is where the reader of the document gets a token.
 */
export function openApiDocument(operations: readonly Operation[], tokenUrl: string): JsonObject {
  const components: JsonObject = {};
  const toSchema = (schema: z.ZodType, io: 'input' | 'output') => lift(schema, io, components);
  const paths: Record<string, JsonObject> = {};
  for (const operation of operations) {
    paths[operation.path] = {
      ...paths[operation.path],
      [operation.method]: describe(operation, toSchema),
    };
  }
  toSchema(policyChange, 'output');
  toSchema(policyEvent, 'output');
  toSchema(runEvent, 'output');
  toSchema(jobEvent, 'output');
  toSchema(publishedEvent, 'output');
  toSchema(deliveredEvent, 'output');
  return {
    openapi: '3.1.0',
    info: {
      title: 'HMS-SVC',
      version: '1',
      description:
        'Policy delivery: a rule that is published here reaches every service that enforces it ' +
        'within seconds, provably, and can be taken back.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '.' }],
    paths,
    components: {
      schemas: components,
      securitySchemes: { oauth2: oauth2(tokenUrl) },
    },
  };
}

type ToSchema = (schema: z.ZodType, io: 'input' | 'output') => JsonObject;

/** JSON Schema 2020-12 of a schema; what has a name goes to the components. */
export function lift(
  schema: z.ZodType,
  io: 'input' | 'output',
  components: JsonObject,
): JsonObject {
  const {
    $schema: _,
    $defs,
    ...own
  } = z.toJSONSchema(schema, {
    io,
    unrepresentable: 'any',
    reused: 'inline',
    override: ({ jsonSchema }) => {
      // The format says it; the pattern of every valid date is for machines without it.
      if (jsonSchema.format === 'date-time') delete jsonSchema.pattern;
    },
  }) as JsonObject;
  for (const [name, definition] of Object.entries(($defs ?? {}) as JsonObject)) {
    components[name] = withoutId(relink(definition) as JsonObject);
  }
  const name = own['id'];
  if (typeof name !== 'string') return relink(own) as JsonObject;
  components[name] = withoutId(relink(own) as JsonObject);
  return { $ref: `#/components/schemas/${name}` };
}

function withoutId({ id: _, ...schema }: JsonObject): JsonObject {
  return schema;
}

function relink(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(relink);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, held]) =>
      key === '$ref' && typeof held === 'string'
        ? [key, held.replace('#/$defs/', '#/components/schemas/')]
        : [key, relink(held)],
    ),
  );
}

function describe(operation: Operation, toSchema: ToSchema): JsonObject {
  const { id, tag, summary, description, scope, body } = operation;
  return {
    operationId: id,
    tags: [tag],
    summary,
    description,
    security: scope === null ? [] : [{ oauth2: [`hms/${scope}`] }],
    parameters: [
      ...parameters(operation.params, 'path', toSchema),
      ...parameters(operation.query, 'query', toSchema),
      ...parameters(operation.headers, 'header', toSchema),
    ],
    ...(body === undefined ? {} : { requestBody: requestBody(body, toSchema) }),
    ...(isRelayedWithBody(operation) ? { requestBody: relayedBody } : {}),
    responses: { ...responses(operation, toSchema), ...problemResponses(operation, toSchema) },
  };
}

/** Any operation that is relayed may have one; of these methods, it is expected. */
function isRelayedWithBody({ relayed, method }: Operation): boolean {
  return relayed === true && ['post', 'put', 'patch'].includes(method);
}

const relayedBody = {
  required: false,
  description: 'Handed on as it is, of any size',
  content: { '*/*': {} },
};

/** OpenAPI 3.1 forbids these as parameters: they are said elsewhere in the document. */
const notParameters = new Set(['accept', 'content-type', 'authorization']);

function parameters(
  schema: z.ZodObject,
  place: 'path' | 'query' | 'header',
  toSchema: ToSchema,
): JsonObject[] {
  return Object.entries(schema.shape as Record<string, z.ZodType>)
    .filter(([name]) => place !== 'header' || !notParameters.has(name))
    .map(([name, each]) => {
      const { description, ...rest } = toSchema(each, 'input');
      const required = place === 'path' || !each.safeParse(undefined).success;
      return { name, in: place, required, description, schema: rest };
    });
}

function requestBody(body: RequestBody, toSchema: ToSchema): JsonObject {
  if (body.kind === 'json') {
    const schema = toSchema(body.schema, 'input');
    const { maxBytes } = body;
    return {
      required: body.optional !== true,
      ...(maxBytes === undefined ? {} : { description: `At most ${maxBytes} bytes` }),
      content: { 'application/json': { schema } },
    };
  }
  const types = body.contentTypes.map((type) => (type === '*' ? '*/*' : type));
  const described = body.schema === undefined ? {} : { schema: toSchema(body.schema, 'input') };
  return {
    required: true,
    description: `At most ${body.maxBytes} bytes`,
    content: Object.fromEntries(types.map((type) => [type, { ...described }])),
  };
}

function responses(operation: Operation, toSchema: ToSchema): JsonObject {
  return Object.fromEntries(
    Object.entries(operation.responses).map(([status, shape]) => [
      status,
      response(shape, toSchema),
    ]),
  );
}

function response(shape: ResponseShape, toSchema: ToSchema): JsonObject {
  const { description, headers, schema } = shape;
  const types = shape.contentTypes ?? (schema === undefined ? [] : ['application/json']);
  const content = types.map((type) => [
    type,
    type === 'application/json' && schema !== undefined
      ? { schema: toSchema(schema, 'output') }
      : {},
  ]);
  const named = Object.entries(headers ?? {}).map(([name, text]) => [
    name,
    { description: text, schema: { type: 'string' } },
  ]);
  return {
    description,
    ...(named.length === 0 ? {} : { headers: Object.fromEntries(named) }),
    ...(content.length === 0 ? {} : { content: Object.fromEntries(content) }),
  };
}

function problemResponses(operation: Operation, toSchema: ToSchema): JsonObject {
  const byStatus = new Map<number, ErrorCode[]>();
  for (const code of problemsOf(operation)) {
    const { status } = problems[code];
    byStatus.set(status, [...(byStatus.get(status) ?? []), code]);
  }
  const schema = toSchema(problemSchema, 'output');
  return Object.fromEntries(
    [...byStatus].map(([status, held]) => [
      status,
      {
        description: held.map((code) => `\`${code}\`: ${problems[code].title}`).join('; '),
        content: { 'application/problem+json': { schema } },
      },
    ]),
  );
}

function oauth2(tokenUrl: string): JsonObject {
  const described = Object.entries(scopes).map(([name, text]) => [`hms/${name}`, text]);
  return {
    type: 'oauth2',
    flows: { clientCredentials: { tokenUrl, scopes: Object.fromEntries(described) } },
  };
}
