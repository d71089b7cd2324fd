import type { Template } from 'aws-cdk-lib/assertions';

/** Services whose calls our adapters make, and tests record. */
const recorded = /^(?:dynamodb|s3|events|states|secretsmanager|ses|sqs|execute-api):/;
/** What Lambda itself does in the name of a function: it reads the table's stream for the relay … */
const ofStreams = /^dynamodb:(?:DescribeStream|GetRecords|GetShardIterator|ListStreams)$/;
/** … takes turns from a queue for a worker … */
const ofQueues = /^sqs:(?:ReceiveMessage|DeleteMessage|GetQueueAttributes)$/;
/** … and puts what failed among the dead letters. */
const deadLetters = /"Fn::GetAtt":\["DeadLetters/;

/**
 * The actions that the template allows a function to call, of those services that our adapters
 * call, sorted, such as `dynamodb:GetItem`. `functionId` is the function's logical id or how it begins.
 */
export function grantedActions(template: Template, functionId: string): string[] {
  const { id } = functionOf(template, functionId);
  const isOfLambda = (action: string) =>
    ofStreams.test(action) || (ofQueues.test(action) && isFed(template, id));
  const actions = statementsOf(template, functionId)
    .filter(({ Effect, Resource }) => Effect === 'Allow' && !isOfDeadLetters(Resource))
    .flatMap(({ Action }) => [Action].flat());
  return [...new Set(actions)].filter((name) => recorded.test(name) && !isOfLambda(name)).sort();
}

/** All that the policies of a function say. */
export function statementsOf(template: Template, functionId: string): readonly Statement[] {
  const { role } = functionOf(template, functionId);
  return Object.values(template.findResources('AWS::IAM::Policy'))
    .map(({ Properties }) => Properties as Policy)
    .filter(({ Roles }) => Roles.some(({ Ref }) => Ref === role))
    .flatMap(({ PolicyDocument }) => PolicyDocument.Statement);
}

function functionOf(template: Template, functionId: string) {
  const functions = Object.entries(template.findResources('AWS::Lambda::Function'));
  const found = functions.filter(([id]) => id.startsWith(functionId));
  const [id, lambda] = found[0] ?? [];
  const role = lambda?.['Properties'].Role['Fn::GetAtt'][0] as string | undefined;
  if (found.length !== 1 || id === undefined || role === undefined) {
    throw new Error(`no one function ${functionId}`);
  }
  return { id, role };
}

/** Whether Lambda calls the function with what a queue holds. */
function isFed(template: Template, id: string): boolean {
  const mappings = Object.values(template.findResources('AWS::Lambda::EventSourceMapping'));
  const queues = Object.keys(template.findResources('AWS::SQS::Queue'));
  return mappings.some(({ Properties: { FunctionName, EventSourceArn } }) => {
    return FunctionName.Ref === id && queues.includes(EventSourceArn['Fn::GetAtt']?.[0]);
  });
}

function isOfDeadLetters(resource: unknown): boolean {
  return [resource].flat().every((one) => deadLetters.test(JSON.stringify(one)));
}

export interface Statement {
  readonly Effect: string;
  readonly Action: string | string[];
  readonly Resource: unknown;
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, string | string[]>>>>;
}

interface Policy {
  readonly Roles: readonly { readonly Ref: string }[];
  readonly PolicyDocument: { readonly Statement: readonly Statement[] };
}
