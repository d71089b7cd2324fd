import type { Template } from 'aws-cdk-lib/assertions';

/** Services whose calls our adapters make, and tests record. */
const recorded = /^(?:dynamodb|s3|events|states|secretsmanager|ses):/;
/** Lambda's own reading of the table's stream, on behalf of the relay. */
const ofStreams = /^dynamodb:(?:DescribeStream|GetRecords|GetShardIterator|ListStreams)$/;

/**
 * The actions that the template allows a function to call, of those services that our adapters
 * call, sorted, such as `dynamodb:GetItem`. `functionId` is the function's logical id or how it begins.
 */
export function grantedActions(template: Template, functionId: string): string[] {
  const functions = Object.entries(template.findResources('AWS::Lambda::Function'));
  const found = functions.filter(([id]) => id.startsWith(functionId));
  const role = found[0]?.[1]['Properties'].Role['Fn::GetAtt'][0] as string | undefined;
  if (found.length !== 1 || role === undefined) throw new Error(`no one function ${functionId}`);
  const actions = Object.values(template.findResources('AWS::IAM::Policy'))
    .map(({ Properties }) => Properties as Policy)
    .filter(({ Roles }) => Roles.some(({ Ref }) => Ref === role))
    .flatMap(({ PolicyDocument }) => PolicyDocument.Statement)
    .filter(({ Effect }) => Effect === 'Allow')
    .flatMap(({ Action }) => [Action].flat());
  return [...new Set(actions)]
    .filter((name) => recorded.test(name) && !ofStreams.test(name))
    .sort();
}

interface Policy {
  readonly Roles: readonly { readonly Ref: string }[];
  readonly PolicyDocument: {
    readonly Statement: readonly { readonly Effect: string; readonly Action: string | string[] }[];
  };
}
