import type * as z from 'zod';
import type { ErrorCode } from '../core/errors/app-error.ts';
import type { Scope } from '../core/identity/scopes.ts';

/**
 * Which part of the system answers a call. On AWS each part is one Lambda function, with the
 * rights that it needs and no more; embedded, one process holds all of them.
 */
export type Part =
  | 'rules'
  | 'queries'
  | 'changes'
  | 'rollouts'
  | 'reports'
  | 'jobs'
  | 'claims'
  | 'services'
  | 'gateway'
  | 'stream'
  | 'graph'
  | 'open';

export type RequestBody =
  | {
      readonly kind: 'json';
      readonly schema: z.ZodType;
      readonly optional?: boolean;
      /** 64 KiB unless given. */
      readonly maxBytes?: number;
    }
  | {
      readonly kind: 'bytes';
      /** Accepted media types; `*` for any. */
      readonly contentTypes: readonly string[];
      readonly maxBytes: number;
      /** What they say, for the documentation: whoever answers the call parses them. */
      readonly schema?: z.ZodType;
    };

export interface ResponseShape {
  readonly description: string;
  readonly schema?: z.ZodType;
  /** `application/json` unless named. */
  readonly contentTypes?: readonly string[];
  readonly headers?: Readonly<Record<string, string>>;
}

/** One call of the API: the source of its route, its validation, its scope and its documentation. */
export interface Operation<
  Params extends z.ZodObject = z.ZodObject,
  Query extends z.ZodObject = z.ZodObject,
  Headers extends z.ZodObject = z.ZodObject,
> {
  /** OpenAPI `operationId`. */
  readonly id: string;
  readonly method: 'get' | 'post' | 'put' | 'patch' | 'delete' | 'options';
  /** Parameters in braces: `/api/policies/{id}`. */
  readonly path: string;
  readonly part: Part;
  /**
   * The call is for another service: query, headers and body are handed on as they come. The last
   * parameter, at the end of the path, takes all the rest, slashes included; it may be left out.
   */
  readonly relayed?: true;
  /** The `operation` label of metrics, where several operations share one; else it is the id. */
  readonly countedAs?: string;
  /** `null`: no token is needed. */
  readonly scope: Scope | null;
  readonly tag: string;
  readonly summary: string;
  readonly description?: string;
  readonly params: Params;
  /** An unknown parameter is refused: a mistyped `?chanel=test` must not read `prod`. */
  readonly query: Query;
  /** Names in lower case; other headers are ignored. */
  readonly headers: Headers;
  readonly body?: RequestBody;
  readonly responses: Readonly<Record<number, ResponseShape>>;
  readonly problems: readonly ErrorCode[];
}
