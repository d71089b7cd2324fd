import type { CallOptions } from '../api/call-options.ts';
import { connect } from '../api/connection.ts';
import type { NamedRule } from '../wire/event.ts';
import type { Channel } from '../wire/run.ts';

export interface GetRuleOptions extends CallOptions {
  /** `prod` unless given. */
  readonly channel?: Channel;
}

/**
 * A single value of the rules, by name, asked of the service now. Who needs it often follows the
 * policy with a client. Errors: `ProblemError`, `NoAnswerError`.
 */
export async function getRule(
  name: string,
  { connection, signal, channel }: GetRuleOptions = {},
): Promise<NamedRule> {
  return connect(connection).json({
    path: `/rules/${encodeURIComponent(name)}`,
    query: { channel },
    signal,
  });
}
