function repeated(count: number, make: (i: number) => string): string {
  return Array.from({ length: count }, (_, i) => make(i)).join(' ');
}

/** `nested(2, 'a{b', 'c')` is `a{b{a{b{c}}}}`. */
function nested(depth: number, opening: string, leaf: string): string {
  const levels = opening.split('{').length;
  return `${`${opening}{`.repeat(depth)}${leaf}${'}'.repeat(depth * levels)}`;
}

const roots = /more than 10 fields at the root/;
const rules = /more than 10 rules/;
const depth = /introspection depth/;

/** GraphQL queries that cost more than they may, or are none, and what each is refused for. */
export const hostileQueries: Readonly<Record<string, readonly [query: string, reason: RegExp]>> = {
  'ten thousand tokens': [`{${repeated(4900, () => 'a')}}`, /tokens/],
  'brackets without an end': ['{a'.repeat(4900), /tokens/],
  'deeper than the schema': [`{${nested(150, 'policies', 'id')}}`, /Cannot query field/],
  'eleven root fields': [`{${repeated(11, (i) => `a${i}:policies{id}`)}}`, roots],
  'root fields in a fragment': [
    `{...F} fragment F on Query{${repeated(40, (i) => `a${i}:policies{id}`)}}`,
    roots,
  ],
  'root fields in inline fragments': [
    `{${repeated(12, (i) => `...on Query{a${i}:policies{id}}`)}}`,
    roots,
  ],
  'root fields in nested fragments': [
    `{...F0} ${repeated(
      12,
      (i) => `fragment F${i} on Query{a${i}:policies{id}${i < 11 ? `...F${i + 1}` : ''}}`,
    )}`,
    roots,
  ],
  'a rule by many names': [`{policies{${repeated(100, (i) => `a${i}:rule`)}}}`, rules],
  'a rule by many names in a fragment': [
    `{policies{...F}} fragment F on Policy{${repeated(20, (i) => `a${i}:rule`)}}`,
    rules,
  ],
  'types of fields of types': [`{__schema{types{${nested(8, 'fields{type', 'name')}}}}`, depth],
  'fields of types of fields': [
    `{__type(name:"__Type"){${nested(6, 'fields{type', 'name')}}}`,
    depth,
  ],
  'possible types of possible types': [
    `{__schema{types{${nested(20, 'possibleTypes', 'name')}}}}`,
    depth,
  ],
  'input fields of input fields': [
    `{__schema{types{${nested(20, 'inputFields{type', 'name')}}}}`,
    depth,
  ],
  'fragments in a ring': [
    '{...A} fragment A on Query{...B} fragment B on Query{...A}',
    /within itself/,
  ],
  'a fragment of itself': ['{...A} fragment A on Query{policies{id}...A}', /within itself/],
  'values within values': [
    `{policies(after:${'['.repeat(200)}${']'.repeat(200)}){id}}`,
    /ID cannot represent/,
  ],
  'a field that is not there': ['{secrets{id}}', /Cannot query field/],
  'fields of a scalar': ['{policies{id{id}}}', /must not have a selection/],
  'an unknown argument': ['{policies(tenant:"demo"){id}}', /Unknown argument/],
  'an unknown directive': ['{policies{id @evil}}', /Unknown directive/],
  'half a query': ['{policies{id}', /Syntax Error/],
  'a number too large': ['{policies(first:99999999999){id}}', /32-bit/],
  'no query': ['# nothing', /Syntax Error/],
};
