import type { TransactWriteItem } from '@aws-sdk/client-dynamodb';

/** What every AWS SDK client has, as far as it is needed here. */
interface Recordable {
  readonly middlewareStack: {
    add(middleware: RecordingMiddleware, options: { step: 'initialize'; name: string }): void;
  };
}

type Handler = (args: { input: object }) => Promise<{ response: unknown; output: object }>;
type RecordingMiddleware = (
  next: Handler,
  context: { clientName?: string; commandName?: string },
) => Handler;

/** Clients whose prefix in IAM is not their name in lower case. */
const prefixes: Readonly<Record<string, string>> = {
  CloudWatchLogs: 'logs',
  CognitoIdentityProvider: 'cognito-idp',
  EventBridge: 'events',
  SESv2: 'ses',
  SFN: 'states',
};

/** API calls that IAM knows by other names, whatever they carry. */
const otherNames: Readonly<Record<string, readonly string[]>> = {
  's3:HeadObject': ['s3:GetObject'],
  's3:HeadBucket': ['s3:ListBucket'],
  's3:ListObjectsV2': ['s3:ListBucket'],
  'sqs:SendMessageBatch': ['sqs:SendMessage'],
  // https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-control-access-iam.html
  'apigatewaymanagementapi:PostToConnection': ['execute-api:ManageConnections'],
  'apigatewaymanagementapi:DeleteConnection': ['execute-api:ManageConnections'],
};

const transactActions: Readonly<Record<string, string>> = {
  Put: 'dynamodb:PutItem',
  Delete: 'dynamodb:DeleteItem',
  Update: 'dynamodb:UpdateItem',
  ConditionCheck: 'dynamodb:ConditionCheckItem',
};

/**
 * Notes the IAM actions (`dynamodb:GetItem`) that the calls of a client need, from now on, in the
 * set that it answers. Each call counts, whether it succeeds or not.
 */
export function recordActions(client: Recordable, into = new Set<string>()): Set<string> {
  const middleware: RecordingMiddleware =
    (next, { clientName = '', commandName = '' }) =>
    async (args) => {
      for (const action of actionsOf(clientName, commandName, args.input)) into.add(action);
      return next(args);
    };
  client.middlewareStack.add(middleware, { step: 'initialize', name: 'recordActions' });
  return into;
}

function actionsOf(clientName: string, commandName: string, input: object): readonly string[] {
  const service = clientName.replace(/Client$/, '');
  const action = `${prefixes[service] ?? service.toLowerCase()}:${commandName.replace(/Command$/, '')}`;
  if (action !== 'dynamodb:TransactWriteItems') return otherNames[action] ?? [action];
  // https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis-iam.html
  const { TransactItems = [] } = input as { TransactItems?: readonly TransactWriteItem[] };
  return TransactItems.flatMap((item) => Object.keys(item)).map(
    (kind) => transactActions[kind] ?? `dynamodb:${kind}`,
  );
}
