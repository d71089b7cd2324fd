import { type DocumentNode, execute, GraphQLError, parse, specifiedRules, validate } from 'graphql';
import { feedOperations } from '../../contract/operations/feed-operations.ts';
import type { Deps } from '../../core/deps.ts';
import { AppError, InvalidRequest } from '../../core/errors/app-error.ts';
import { graphRoot } from '../graph/graph-root.ts';
import { graphSchema } from '../graph/graph-schema.ts';
import { boundCostlyFields } from '../graph/bound-costly-fields.ts';
import { readerOf } from '../reader-of.ts';
import { jsonReply } from '../reply.ts';
import { type Route, route } from '../route.ts';

/** A query of every field of every type takes fewer than 100, that of an explorer about 200. */
const maxTokens = 500;
/** Reported, of what may be one for each policy. */
const maxErrors = 20;
const rules = [...specifiedRules, boundCostlyFields];

export function graphRoutes(deps: Pick<Deps, 'records' | 'blobs' | 'clock' | 'log'>): Route[] {
  return [
    route(feedOperations.queryGraph, async (call) => {
      const { principal, headers, body, requestId } = call;
      const document = parseQuery(body.query);
      const result = await execute({
        schema: graphSchema,
        document,
        rootValue: graphRoot(deps, principal.tenant, readerOf(principal, headers)),
        variableValues: body.variables ?? {},
        operationName: body.operationName ?? null,
      });
      const errors = result.errors?.slice(0, maxErrors).map((error) => {
        if (isOurs(error)) return error.toJSON();
        const { traceId } = call.trace;
        const about = { requestId, traceId, tenant: principal.tenant };
        deps.log.error('query failed', { ...about, error: error.originalError ?? error });
        const { nodes, path } = error;
        const message = `The service failed; request id ${requestId}.`;
        return new GraphQLError(message, { nodes, path }).toJSON();
      });
      return jsonReply(200, {
        ...(result.data === undefined ? {} : { data: result.data }),
        ...(errors === undefined ? {} : { errors }),
      });
    }),
  ];
}

/** A failure that the caller may read: of the query itself, or one of ours that is worded for it. */
function isOurs(error: GraphQLError): boolean {
  const { originalError } = error;
  return (
    originalError === undefined ||
    originalError === null ||
    originalError instanceof GraphQLError ||
    originalError instanceof AppError
  );
}

function parseQuery(query: string): DocumentNode {
  let document: DocumentNode;
  try {
    document = parse(query, { maxTokens });
  } catch (error) {
    throw refused([error]);
  }
  const errors = validate(graphSchema, document, rules, { maxErrors });
  if (errors.length > 0) throw refused(errors);
  return document;
}

function refused(errors: readonly unknown[]): InvalidRequest {
  return new InvalidRequest(
    'The query is not acceptable.',
    errors.map((error) => ({
      pointer: '/query',
      detail: error instanceof Error ? error.message : String(error),
    })),
  );
}
