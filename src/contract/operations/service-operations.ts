import * as z from 'zod';
import type { Operation } from '../operation.ts';
import {
  overallHealth,
  service,
  serviceManifest,
  serviceName,
  servicePage,
  storedService,
} from '../service-schemas.ts';
import { paging } from '../values.ts';

const none = z.object({});
const oneService = z.object({ name: serviceName });

/** Which services there are, and how they are. */
export const serviceOperations = {
  listServices: {
    id: 'listServices',
    method: 'get',
    path: '/services',
    part: 'services',
    scope: 'read:service',
    tag: 'Services',
    summary: 'The services that are alive, by name',
    params: none,
    query: z.object({
      all: z.enum(['true', 'false']).default('false').describe('Those that are red, too'),
      ...paging(50, 200),
    }),
    headers: none,
    responses: { 200: { description: 'A page', schema: servicePage } },
    problems: [],
  },
  getService: {
    id: 'getService',
    method: 'get',
    path: '/services/{name}',
    part: 'services',
    scope: 'read:service',
    tag: 'Services',
    summary: 'Where a service is, and how',
    params: oneService,
    query: none,
    headers: none,
    responses: { 200: { description: 'The service', schema: service } },
    problems: ['not_found'],
  },
  putService: {
    id: 'putService',
    method: 'put',
    path: '/services/{name}',
    part: 'services',
    scope: 'write:service',
    tag: 'Services',
    summary: 'Register a service, or change its manifest',
    description:
      'Targets that are new, or were down, are probed before the answer, which takes as long as ' +
      '`health.timeoutMs` at the most. Those that are well get traffic at once.',
    params: oneService,
    query: none,
    headers: none,
    body: {
      kind: 'bytes',
      contentTypes: [
        'application/json',
        'application/yaml',
        'application/x-yaml',
        'text/yaml',
        'text/x-yaml',
      ],
      maxBytes: 64 * 1024,
      schema: serviceManifest,
    },
    responses: {
      201: { description: 'Registered', schema: storedService, headers: { Location: 'It' } },
      200: { description: 'Changed, or as it was', schema: storedService },
    },
    problems: ['conflict'],
  },
  deleteService: {
    id: 'deleteService',
    method: 'delete',
    path: '/services/{name}',
    part: 'services',
    scope: 'write:service',
    tag: 'Services',
    summary: 'Take a service out of the registry',
    params: oneService,
    query: none,
    headers: none,
    responses: { 204: { description: 'Gone: it gets no call any more' } },
    problems: ['not_found', 'conflict'],
  },
  getHealth: {
    id: 'getHealth',
    method: 'get',
    path: '/health',
    part: 'services',
    scope: 'read:service',
    tag: 'Services',
    summary: 'How every service is, and what they rest on',
    params: none,
    query: none,
    headers: none,
    responses: { 200: { description: 'Whatever the colour', schema: overallHealth } },
    problems: [],
  },
} as const satisfies Record<string, Operation>;
