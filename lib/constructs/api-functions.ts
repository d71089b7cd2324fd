import type { Construct } from 'constructs';

import type { Part } from '../../src/contract/operation.ts';
import { apiVersion } from '../config.ts';
import type { StageConfig } from '../config.ts';
import { NodeFunction } from './node-function.ts';
import type { NodeFunctionProps } from './node-function.ts';
import { acknowledgeAllSecrets, secretAccess, secretsEnvironment } from './partner-access.ts';
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
}

export type ApiFunctions = Readonly<Record<Part, NodeFunction>>;

interface PartSpec extends Pick<
  NodeFunctionProps,
  'handler' | 'description' | 'memoryMb' | 'timeoutS'
> {
  readonly needs: StoreNeeds;
  readonly workflows?: readonly WorkflowNeed[];
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
    needs: { table: ['GetItem', 'Query'], blobs: ['GetObject'] },
  },
  queries: {
    handler: 'query-policies',
    description: 'Lists, history, snapshots, manifest, audit',
    memoryMb: 1024,
    timeoutS: 25,
    needs: { table: ['GetItem', 'Query'], blobs: ['GetObject'] },
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
    description: 'Alerts, receipts and decisions of services',
    memoryMb: 1024,
    timeoutS: 25,
    needs: { table: ['GetItem', 'BatchGetItem', 'Query', 'PutItem'] },
  },
  stream: {
    handler: 'stream-policies',
    description: 'Changes as Server-Sent Events',
    // It waits, mostly, and is billed for as long as it waits.
    memoryMb: 256,
    timeoutS: 900,
    needs: { table: ['GetItem', 'Query'] },
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
    rollouts: rolloutsFunction(scope, props),
    reports: partFunction(scope, 'TakeReports', specs.reports, props),
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
  { needs, workflows = [], ...spec }: PartSpec,
  { config, store, tokens }: ApiFunctionsProps,
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
      ...more.environment,
    },
    statements: [
      ...storeAccess(store, needs),
      ...workflowAccess(scope, config, workflows),
      ...(more.statements ?? []),
    ],
  });
  if (needs.blobs !== undefined) acknowledgeAllBlobs(made, store);
  return made;
}

/** It keeps the secrets of partners, and cannot read them back. */
function rolloutsFunction(scope: Construct, props: ApiFunctionsProps): NodeFunction {
  const { config, store } = props;
  const made = partFunction(scope, 'ManageRollouts', specs.rollouts, props, {
    environment: secretsEnvironment(config, store),
    statements: secretAccess(config, store, 'write'),
  });
  acknowledgeAllSecrets(made, config);
  return made;
}
