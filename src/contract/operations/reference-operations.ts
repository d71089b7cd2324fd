import * as z from 'zod';
import { referenceLimits } from '../../core/reference/reference-record.ts';
import type { Operation } from '../operation.ts';
import { referenceName, referencePage, storedReference } from '../reference-schemas.ts';
import { paging, reason } from '../values.ts';

const none = z.object({});
const oneReference = z.object({ name: referenceName });

/** What workers look things up in: where school buses run, where hospitals are. */
export const referenceOperations = {
  putReference: {
    id: 'putReference',
    method: 'put',
    path: '/api/reference/{name}',
    part: 'jobs',
    scope: 'write:policy',
    tag: 'Reference data',
    summary: 'Store a GeoJSON document, or replace it',
    description:
      'A FeatureCollection (RFC 7946) of points, lines and areas in WGS 84. Jobs that begin from ' +
      'now on use it. Urgency looks at `school-bus-routes` and `hospitals`.',
    params: oneReference,
    query: none,
    headers: z.object({ 'x-reason': reason.optional() }),
    body: {
      kind: 'bytes',
      contentTypes: ['application/geo+json', 'application/json'],
      maxBytes: referenceLimits.maxBytes,
    },
    responses: {
      201: { description: 'Stored', schema: storedReference, headers: { Location: 'It' } },
      200: { description: 'It was there already', schema: storedReference },
    },
    problems: ['invalid_document', 'conflict'],
  },
  getReference: {
    id: 'getReference',
    method: 'get',
    path: '/api/reference/{name}',
    part: 'jobs',
    scope: 'read:policy',
    tag: 'Reference data',
    summary: 'The exact bytes of a document',
    params: oneReference,
    query: none,
    headers: z.object({ 'if-none-match': z.string().optional() }),
    responses: {
      200: {
        description: 'The document',
        contentTypes: ['application/geo+json'],
        headers: { ETag: 'Its digest, quoted' },
      },
      304: { description: 'The caller has it already' },
    },
    problems: ['not_found'],
  },
  listReferences: {
    id: 'listReferences',
    method: 'get',
    path: '/api/reference',
    part: 'jobs',
    scope: 'read:policy',
    tag: 'Reference data',
    summary: 'Every document, by name',
    params: none,
    query: z.object(paging(50, 100)),
    headers: none,
    responses: { 200: { description: 'A page', schema: referencePage } },
    problems: [],
  },
} as const satisfies Record<string, Operation>;
