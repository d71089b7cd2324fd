import { buildSchema } from 'graphql';

/** What `POST /api/graphql` answers. Lists are bounded, and no field leads back to its parent. */
export const graphSchema = buildSchema(`
"Any JSON value."
scalar JSON

enum Channel { dev test prod }

type Query {
  "The policies that have a rule in a channel, in the order of their ids, after the id \`after\`."
  policies(channel: Channel! = prod, first: Int! = 100, after: ID): [Policy!]!
  "One policy in a channel, or null."
  policy(id: ID!, channel: Channel! = prod): Policy
}

type Policy {
  id: ID!
  channel: Channel!
  "The ETag of the rule in force, as the header has it; null while the first rule waits."
  etag: String
  snapshot: String
  version: String
  "SHA-256 of the exact JSON bytes in which GET /api/policies/{id} sends the rule, with \`sha256:\` before it."
  bodyDigest: String
  "Raised by one with every change of the channel."
  gen: Int!
  "A rule already distributed, in force from \`effectiveAt\`."
  next: Waiting
  "The rule in force."
  rule: JSON
}

type Waiting {
  snapshot: String!
  version: String!
  bodyDigest: String
  effectiveAt: String!
}
`);
