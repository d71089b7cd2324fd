import type { Construct } from 'constructs';

import type { Part } from '../../src/contract/operation.ts';
import { apiVersion } from '../config.ts';
import type { RateLimit, StageConfig } from '../config.ts';
import { jobsEnvironment, journalsEnvironment } from './job-queues.ts';
import type { JobQueues } from './job-queues.ts';
import { NodeFunction } from './node-function.ts';
import type { NodeFunctionProps } from './node-function.ts';
import {
  acknowledgeAllSecrets,
  secretAccess,
  secretsEnvironment,
  targetsEnvironment,
} from './partner-access.ts';
import { changeRunNeeds } from './rollout-functions.ts';
import { acknowledgeAllBlobs, storeAccess } from './store-access.ts';
import type { Store, StoreNeeds } from './store-access.ts';
import type { TokenIssuer } from './token-issuer.ts';
import { rolloutMachineArn, workflowAccess } from './workflow-access.ts';
import type { WorkflowNeed } from './workflow-access.ts';

export interface ApiFunctionsProps {
  readonly config: StageConfig;
  readonly store: Store;
  readonly tokens: TokenIssuer;
  readonly queues: JobQueues;
  /** Where WebSockets are opened. */
  readonly pushUrl: string;
}

export type ApiFunctions = Readonly<Record<Part, NodeFunction>>;

interface PartSpec extends Pick<
  NodeFunctionProps,
  'handler' | 'description' | 'memoryMb' | 'timeoutS'
> {
  readonly needs: StoreNeeds;
  readonly workflows?: readonly WorkflowNeed[];
  /**
   * `keep`: where their records and journals are. `send`: the queues of our own workers, too.
   */
  readonly jobs?: 'keep' | 'send';
  /** It connects to services, and so must know which networks they may be in. */
  readonly calls?: true;
}

/**
 * None has provisioned or reserved concurrency but the stream (see `lib/config.ts`): API Gateway's
 * throttle bounds them together, and a reservation for one is taken from all others.
 * Timeouts are under the 29 seconds after which API Gateway gives up, and over the 18 in which three
 * attempts at an AWS call fail (src/compose/aws-config.ts): callers get our problem, not its own.
 */
const specs: Readonly<Record<Exclude<Part, 'open'>, PartSpec>> = {
  rules: {
    handler: 'get-policy',
    description: 'GET a rule: the read path',
    memoryMb: 1024,
    timeoutS: 25,
    needs: {
      table: ['GetItem', 'Query'],
      families: { read: ['policies'], write: [] },
      blobs: ['GetObject'],
    },
  },
  queries: {
    handler: 'query-policies',
    description: 'Lists, history, snapshots, manifest, audit',
    memoryMb: 1024,
    timeoutS: 25,
    needs: { table: ['GetItem', 'Query'], blobs: ['GetObject'] },
    jobs: 'keep',
  },
  changes: {
    handler: 'change-policies',
    description: 'Publish, store, promote, roll back, attach',
    // Unpacking and checking a hostile package is all processor time.
    memoryMb: 1769,
    timeoutS: 28,
    needs: {
      table: ['GetItem', 'BatchGetItem', 'Query', 'PutItem', 'DeleteItem', 'ConditionCheckItem'],
      blobs: ['PutObject'],
    },
    // Where a channel demands a rollout, a publish begins one.
    workflows: ['start'],
  },
  rollouts: {
    handler: 'manage-rollouts',
    description: 'Runs, tickets, simulations, partners',
    memoryMb: 1769,
    timeoutS: 28,
    needs: {
      table: [...changeRunNeeds, 'Query', 'ConditionCheckItem'],
      blobs: ['GetObject', 'PutObject'],
    },
    workflows: ['start', 'signal'],
  },
  reports: {
    handler: 'take-reports',
    description: 'Alerts, receipts and decisions of services; tickets for WebSockets',
    memoryMb: 1024,
    timeoutS: 25,
    needs: { table: ['GetItem', 'BatchGetItem', 'Query', 'PutItem'] },
  },
  jobs: {
    handler: 'manage-jobs',
    description: 'Jobs and their cases; leases of workers outside',
    memoryMb: 1769,
    timeoutS: 28,
    needs: {
      table: ['GetItem', 'BatchGetItem', 'Query', 'PutItem', 'DeleteItem'],
      blobs: ['GetObject', 'PutObject'],
    },
    jobs: 'send',
  },
  claims: {
    handler: 'file-claims',
    description: 'Claims and their files',
    memoryMb: 1769,
    timeoutS: 28,
    needs: {
      table: ['GetItem', 'BatchGetItem', 'Query', 'PutItem'],
      // Whoever puts what it has signed does so by its right.
      blobs: ['GetObject', 'PutObject'],
    },
    jobs: 'keep',
  },
  services: {
    handler: 'manage-services',
    description: 'Services, and how all is',
    memoryMb: 1024,
    // A PUT waits for its probe: 10 seconds at the most.
    timeoutS: 28,
    needs: { table: ['GetItem', 'BatchGetItem', 'Query', 'PutItem', 'DeleteItem'] },
    jobs: 'keep',
    calls: true,
  },
  gateway: {
    handler: 'call-service',
    description: 'Calls of services',
    memoryMb: 1769,
    // A manifest may ask for five minutes, and a stream of a service lasts as long as ours.
    timeoutS: 900,
    // Who finds that a target must get no calls, or may again, tells the others.
    needs: {
      table: ['GetItem', 'BatchGetItem', 'Query', 'PutItem', 'DeleteItem'],
      // It talks to whatever tenants have registered: nothing else of theirs is within its reach.
      families: {
        read: ['services', 'serviceHealth', 'circuits', 'limits'],
        write: ['circuits', 'limits'],
      },
    },
    calls: true,
  },
  stream: {
    handler: 'stream-policies',
    description: 'Changes as Server-Sent Events',
    // It waits, mostly, and is billed for as long as it waits.
    memoryMb: 256,
    timeoutS: 900,
    needs: { table: ['GetItem', 'Query'] },
    jobs: 'keep',
  },
  graph: {
    handler: 'query-graph',
    description: 'GraphQL',
    memoryMb: 1024,
    timeoutS: 25,
    needs: { table: ['GetItem', 'BatchGetItem', 'Query'], blobs: ['GetObject'] },
  },
};

const docsAssets = ['swagger-ui.css', 'swagger-ui-bundle.js', 'favicon-32x32.png'].map(
  (file) => `node_modules/swagger-ui-dist/${file}`,
);

/** One function for each part of the API, with the rights of that part. */
export function apiFunctions(scope: Construct, props: ApiFunctionsProps): ApiFunctions {
  const { config } = props;
  return {
    rules: partFunction(scope, 'GetPolicy', specs.rules, props),
    queries: partFunction(scope, 'QueryPolicies', specs.queries, props),
    changes: partFunction(scope, 'ChangePolicies', specs.changes, props),
    rollouts: secretsFunction(scope, 'ManageRollouts', specs.rollouts, ['partner', 'write'], props),
    reports: partFunction(scope, 'TakeReports', specs.reports, props, {
      environment: { HMS_PUSH_URL: props.pushUrl },
    }),
    jobs: partFunction(scope, 'ManageJobs', specs.jobs, props, {
      environment: { HMS_GOVERNANCE_DEFAULT: config.jobs.governanceDefault },
    }),
    claims: partFunction(scope, 'FileClaims', specs.claims, props),
    services: secretsFunction(scope, 'ManageServices', specs.services, ['service', 'write'], props),
    // It signs calls with the secrets of services.
    gateway: secretsFunction(scope, 'CallService', specs.gateway, ['service', 'read'], props),
    stream: partFunction(scope, 'StreamPolicies', specs.stream, props, {
      environment: { HMS_STREAM_MAX_S: String(config.stream.maxS) },
      maxConcurrency: config.stream.maxOpen,
    }),
    graph: partFunction(scope, 'QueryGraph', specs.graph, props),
    open: new NodeFunction(scope, 'ServeDocs', {
      config,
      handler: 'serve-docs',
      description: 'Health, OpenAPI and its page: what needs no token',
      memoryMb: 512,
      timeoutS: 5,
      environment: { HMS_TOKEN_URL: props.tokens.tokenUrl },
      assets: docsAssets,
    }),
  };
}

function partFunction(
  scope: Construct,
  id: string,
  { needs, workflows = [], jobs, calls, ...spec }: PartSpec,
  { config, store, tokens, queues }: ApiFunctionsProps,
  more: Pick<NodeFunctionProps, 'environment' | 'maxConcurrency' | 'statements'> = {},
): NodeFunction {
  const made = new NodeFunction(scope, id, {
    ...spec,
    ...more,
    config,
    environment: {
      HMS_TABLE: store.table.tableName,
      ...(needs.blobs === undefined ? {} : { HMS_BUCKET: store.bucket.bucketName }),
      HMS_ISSUER: tokens.issuer,
      HMS_JWKS_URI: tokens.jwksUri,
      HMS_BASE_PATH: `/${apiVersion}`,
      ...(workflows.length === 0 ? {} : { HMS_STATE_MACHINE: rolloutMachineArn(scope, config) }),
      ...(jobs === 'keep' ? journalsEnvironment(config.jobs) : {}),
      ...(jobs === 'send' ? jobsEnvironment(config, queues.types) : {}),
      ...(calls === undefined ? {} : targetsEnvironment(config)),
      ...(needs.table.includes('PutItem') ? limitsEnvironment(config) : {}),
      ...more.environment,
    },
    statements: [
      ...storeAccess(store, needs),
      ...workflowAccess(scope, config, workflows),
      ...(jobs === 'send' ? queues.sending() : []),
      ...(more.statements ?? []),
    ],
  });
  if (needs.blobs !== undefined) acknowledgeAllBlobs(made, store);
  return made;
}

/**
 * How often a tenant and a client may call. Functions count together, in the table: so those that
 * only read have no limits, as they would need the right to write for it. They have the stage's
 * throttle.
 */
function limitsEnvironment({ limits }: StageConfig): Record<string, string> {
  const text = ({ perSecond, burst }: RateLimit) => `${perSecond}:${burst}`;
  return {
    HMS_RATE_LIMIT_TENANT: text(limits.tenant),
    HMS_RATE_LIMIT_CLIENT: text(limits.client),
  };
}

/** Who keeps the secrets of partners or services cannot read them back; who reads them cannot change them. */
function secretsFunction(
  scope: Construct,
  id: string,
  spec: PartSpec,
  [whose, need]: readonly ['partner' | 'service', 'read' | 'write'],
  props: ApiFunctionsProps,
): NodeFunction {
  const { config, store } = props;
  const made = partFunction(scope, id, spec, props, {
    environment: secretsEnvironment(config, store),
    statements: secretAccess(config, store, whose, need),
  });
  acknowledgeAllSecrets(made, config, whose);
  return made;
}
