import * as z from 'zod';
import type { Operation } from '../operation.ts';

const none = z.object({});
const open = { part: 'open', scope: null, tag: 'Service', query: none, headers: none } as const;

export const healthOperations = {
  healthz: {
    ...open,
    id: 'healthz',
    method: 'get',
    path: '/healthz',
    summary: 'Whether this server can answer',
    params: none,
    responses: {
      200: { description: 'It can', schema: z.object({ status: z.literal('ok') }) },
    },
    problems: [],
  },
} as const satisfies Record<string, Operation>;

/** How to call us. */
export const docsOperations = {
  getOpenApi: {
    ...open,
    id: 'getOpenApi',
    method: 'get',
    path: '/openapi.json',
    summary: 'This document',
    params: none,
    responses: { 200: { description: 'OpenAPI 3.1', contentTypes: ['application/json'] } },
    problems: [],
  },
  getDocs: {
    ...open,
    id: 'getDocs',
    method: 'get',
    path: '/docs',
    summary: 'The API as a page to browse and try',
    params: none,
    responses: { 200: { description: 'The page', contentTypes: ['text/html'] } },
    problems: [],
  },
  getDocsAsset: {
    ...open,
    id: 'getDocsAsset',
    method: 'get',
    path: '/docs/{asset}',
    summary: 'A file of the page',
    params: z.object({ asset: z.string().max(100) }),
    responses: { 200: { description: 'The file', contentTypes: ['*/*'] } },
    problems: ['not_found'],
  },
} as const satisfies Record<string, Operation>;
