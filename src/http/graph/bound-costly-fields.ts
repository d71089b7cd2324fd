import { type ASTVisitor, GraphQLError, type ValidationContext } from 'graphql';

const maxPerQuery = 10;

/**
 * A rule of validation: at most 10 fields at the root, each a scan of its own, and at most 10
 * times `rule`, however it is named, wherever in the query or its fragments it stands.
 */
export function boundCostlyFields(context: ValidationContext): ASTVisitor {
  const query = context.getSchema().getQueryType();
  const counts = { 'fields at the root': 0, rules: 0 };
  function count(kind: keyof typeof counts): void {
    counts[kind] += 1;
    if (counts[kind] !== maxPerQuery + 1) return;
    context.reportError(new GraphQLError(`more than ${maxPerQuery} ${kind}`));
  }
  return {
    Field({ name }) {
      const parent = context.getParentType();
      if (parent === query) count('fields at the root');
      else if (parent?.name === 'Policy' && name.value === 'rule') count('rules');
    },
  };
}
