import { Unavailable } from '../errors/app-error.ts';
import { backOffMs } from '../journal/send-commit.ts';
import type { PushDeps } from './push-deps.ts';

/** Over the attempts that an adapter makes by itself. */
const maxAttempts = 3;

/**
 * Sends these to a connection, in order. `'gone'`: it is closed. `'failed'`: the gateway does not take
 * them; those behind the one that failed are not sent, since a client must miss nothing in between.
 */
export async function postTexts(
  deps: Pick<PushDeps, 'poster' | 'clock' | 'log'>,
  connection: string,
  texts: readonly string[],
): Promise<'sent' | 'gone' | 'failed'> {
  for (const text of texts) {
    const outcome = await post(deps, connection, text);
    if (outcome !== 'sent') return outcome;
  }
  return 'sent';
}

async function post(
  deps: Pick<PushDeps, 'poster' | 'clock' | 'log'>,
  connection: string,
  text: string,
): Promise<'sent' | 'gone' | 'failed'> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await deps.poster.post(connection, text);
    } catch (error) {
      if (!(error instanceof Unavailable)) throw error;
      if (attempt >= maxAttempts) {
        deps.log.warn('connection takes nothing', { connection, error });
        return 'failed';
      }
    }
    await deps.clock.sleep(backOffMs(attempt));
  }
}
