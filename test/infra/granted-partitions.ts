import type { Template } from 'aws-cdk-lib/assertions';

import type { RecordedPartitions } from '../support/recorded-partitions.ts';
import { type Statement, statementsOf } from './granted-actions.ts';

const writing = /^dynamodb:(?:PutItem|DeleteItem)$/;
const reading = /^dynamodb:(?:GetItem|BatchGetItem|Query|ConditionCheckItem)$/;

/**
 * The partitions that a function may read, and those that it may write, as patterns of IAM (`*#limits`);
 * null for all of them.
 */
export function grantedPartitions(
  template: Template,
  functionId: string,
): Readonly<Record<keyof RecordedPartitions, readonly string[] | null>> {
  const statements = statementsOf(template, functionId);
  return { read: patternsOf(statements, reading), write: patternsOf(statements, writing) };
}

function patternsOf(statements: readonly Statement[], actions: RegExp): readonly string[] | null {
  const allowing = statements.filter(({ Action }) =>
    [Action].flat().some((one) => actions.test(one)),
  );
  const patterns = allowing.map(({ Condition }) => {
    const keys = Condition?.['ForAllValues:StringLike']?.['dynamodb:LeadingKeys'];
    // Without this, a call that names no key would pass.
    const isAlways = Condition?.['Null']?.['dynamodb:LeadingKeys'] === 'false';
    return keys === undefined || !isAlways ? null : [keys].flat();
  });
  return patterns.includes(null) ? null : patterns.flatMap((keys) => keys ?? []);
}

/** What was used and is not granted, and what is granted and was not used. */
export function comparePartitions(
  template: Template,
  functionId: string,
  used: RecordedPartitions,
): { readonly missing: readonly string[]; readonly unused: readonly string[] } {
  const granted = grantedPartitions(template, functionId);
  const compared = (['read', 'write'] as const).map((kind) => {
    const patterns = granted[kind];
    if (patterns === null) return { missing: [], unused: [] };
    const partitions = [...used[kind]];
    return {
      missing: partitions
        .filter((partition) => !patterns.some((pattern) => isLike(partition, pattern)))
        .map((partition) => `${kind} ${partition}`),
      unused: patterns
        .filter((pattern) => !partitions.some((partition) => isLike(partition, pattern)))
        .map((pattern) => `${kind} ${pattern}`),
    };
  });
  return {
    missing: compared.flatMap(({ missing }) => missing),
    unused: compared.flatMap(({ unused }) => unused),
  };
}

/** `StringLike` of IAM: `*` stands for anything. */
function isLike(text: string, pattern: string): boolean {
  const parts = pattern.split('*').map((part) => part.replaceAll(/[$()+.?[\\\]^{|}]/g, '\\$&'));
  return new RegExp(`^${parts.join('.*')}$`, 's').test(text);
}
