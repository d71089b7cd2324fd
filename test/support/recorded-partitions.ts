import type {
  BatchGetItemInput,
  GetItemInput,
  QueryInput,
  TransactWriteItemsInput,
} from '@aws-sdk/client-dynamodb';
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';

/** The partitions of a table that calls read, or check, and those that they write. */
export interface RecordedPartitions {
  readonly read: Set<string>;
  readonly write: Set<string>;
}

/** Notes the partitions that the calls of a client are about, from now on: what `LeadingKeys` is of each. */
export function recordPartitions(client: DynamoDBClient): RecordedPartitions {
  const recorded: RecordedPartitions = { read: new Set(), write: new Set() };
  client.middlewareStack.add(
    (next, { commandName = '' }) =>
      (args) => {
        for (const [kind, partition] of partitionsOf(commandName, args.input)) {
          recorded[kind].add(partition);
        }
        return next(args);
      },
    { step: 'initialize', name: 'recordPartitions' },
  );
  return recorded;
}

type Noted = readonly ['read' | 'write', string];
type Key = Readonly<Record<string, { readonly S?: string }>> | undefined;

function partitionsOf(command: string, input: object): Noted[] {
  const of = (kind: 'read' | 'write', key: Key): Noted => {
    const partition = key?.['pk']?.S;
    if (partition === undefined) throw new Error(`${command} names no partition`);
    return [kind, partition];
  };
  switch (command) {
    case 'GetItemCommand':
      return [of('read', (input as GetItemInput).Key)];
    case 'QueryCommand': {
      const { ExpressionAttributeValues: values } = input as QueryInput;
      return [of('read', { pk: { S: values?.[':pk']?.S ?? '' } })];
    }
    case 'BatchGetItemCommand':
      return Object.values((input as BatchGetItemInput).RequestItems ?? {}).flatMap(({ Keys }) =>
        (Keys ?? []).map((key) => of('read', key as Key)),
      );
    case 'TransactWriteItemsCommand':
      return ((input as TransactWriteItemsInput).TransactItems ?? []).map((item) =>
        item.ConditionCheck === undefined
          ? of('write', (item.Put?.Item ?? item.Delete?.Key) as Key)
          : of('read', item.ConditionCheck.Key as Key),
      );
    default:
      throw new Error(`not known what partitions ${command} is about`);
  }
}
