/** Keywords whose value is a schema, a list of them, or schemas by name. */
export const applicators: ReadonlyMap<string, 'one' | 'list' | 'named'> = new Map<
  string,
  'one' | 'list' | 'named'
>([
  ...named('one', 'additionalProperties contains else if items not propertyNames then'),
  ...named('one', 'unevaluatedItems unevaluatedProperties'),
  ...named('list', 'allOf anyOf oneOf prefixItems'),
  ...named('named', '$defs definitions dependentSchemas patternProperties properties'),
]);

/** Keywords that check by themselves. */
export const assertions: ReadonlySet<string> = new Set(
  [
    '$ref const dependentRequired enum exclusiveMaximum exclusiveMinimum format maxContains',
    'maxItems maxLength maxProperties maximum minContains minItems minLength minProperties',
    'minimum multipleOf pattern required type uniqueItems',
  ].flatMap((line) => line.split(' ')),
);

/** Keywords that only describe. */
export const annotations: ReadonlySet<string> = new Set(
  [
    '$comment $id $schema contentEncoding contentMediaType contentSchema default deprecated',
    'description examples readOnly title writeOnly',
  ].flatMap((line) => line.split(' ')),
);

function named<K extends string>(kind: K, keywords: string): [string, K][] {
  return keywords.split(' ').map((keyword) => [keyword, kind]);
}
