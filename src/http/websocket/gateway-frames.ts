import { InvalidRequest } from '../../core/errors/app-error.ts';
import { RecentMap } from '../../core/limits/recent-map.ts';
import { TokenBucket } from '../../core/limits/token-bucket.ts';
import { answerFrame, type FrameOutcome } from '../../core/push/answer-frame.ts';
import {
  dropConnection,
  findConnection,
  forgetConnection,
  openConnection,
  sayGoodbye,
} from '../../core/push/push-connection.ts';
import type { PushDeps } from '../../core/push/push-deps.ts';
import { pushLimits } from '../../core/push/push-frames.ts';
import { errorFrameText, frameText, parseFrame, subscriptionOf } from './websocket-frames.ts';

/** What a gateway that holds connections tells us of them. */
export interface GatewayFrames {
  /** Answers the status of the handshake: 200, or 401 when the ticket is not good. */
  readonly connect: (connection: string, ticket: string) => Promise<number>;
  /** A frame; null: one of bytes. What is to be said of it is posted to the connection. */
  readonly message: (connection: string, text: string | null) => Promise<void>;
  readonly disconnect: (connection: string) => Promise<void>;
}

/** Connections of which one process counts the frames. */
const maxCounted = 10_000;

/**
 * Answers frames where a gateway holds the connections. A flood is noticed by each process for what
 * it sees of it; the gateway's own limit holds for all of it. Errors: `Unavailable`.
 */
export function gatewayFrames(deps: PushDeps): GatewayFrames {
  const buckets = new RecentMap<TokenBucket>(maxCounted);

  function isFlood(connection: string): boolean {
    const nowMs = deps.clock.nowMs();
    let bucket = buckets.get(connection);
    if (bucket === undefined) {
      bucket = new TokenBucket(pushLimits.frames, nowMs);
      buckets.set(connection, bucket);
    }
    return !bucket.take(1, nowMs);
  }

  async function forget(connection: string): Promise<void> {
    const found = await findConnection(deps, connection);
    if (found !== null) await forgetConnection(deps, found.ref);
  }

  return {
    async connect(connection, ticket) {
      return (await openConnection(deps, connection, ticket)) === null ? 401 : 200;
    },

    async message(connection, text) {
      if (isFlood(connection)) {
        await forget(connection);
        return sayGoodbye(deps, connection, 'flood');
      }
      const outcome = await answerOf(deps, connection, text);
      if (typeof outcome === 'string') {
        if ((await deps.poster.post(connection, outcome)) === 'gone') await forget(connection);
      } else if (outcome?.ref === null) {
        await sayGoodbye(deps, connection, outcome.reason);
      } else if (outcome !== null) {
        await dropConnection(deps, outcome.ref, outcome.reason);
      }
    },

    disconnect: forget,
  };
}

type Closed = Extract<FrameOutcome, { kind: 'closed' }>;

/** What is to be posted; or that the connection is to be closed; null: nothing, for now. */
async function answerOf(
  deps: PushDeps,
  connection: string,
  text: string | null,
): Promise<string | Closed | null> {
  let subscription: string | null = null;
  try {
    if (text === null) throw new InvalidRequest('Send frames as text, not as bytes.');
    const frame = parseFrame(text);
    subscription = subscriptionOf(frame);
    const outcome = await answerFrame(deps, connection, frame);
    if (outcome.kind === 'taken') return null;
    return outcome.kind === 'closed' ? outcome : frameText(outcome.frame);
  } catch (error) {
    return errorFrameText(error, subscription, deps.ids.next(), deps.log);
  }
}
