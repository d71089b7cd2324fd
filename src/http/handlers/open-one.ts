import type { Deps } from '../../core/deps.ts';
import type { Principal } from '../../core/identity/principal.ts';
import type { PushTopic } from '../../core/push/push-frames.ts';
import { openTopic, termsOf } from '../../core/push/topic-terms.ts';
import type { StreamDeps } from '../change-stream.ts';
import type { Reply } from '../reply.ts';
import { isEntryAt, nothingToCome, type OpenStream } from '../stream-opener.ts';

/** The stream of one run or job: from its first step, or after an entry, to its last. Errors: `NotFound`. */
export async function openOne(
  deps: Pick<StreamDeps, 'records'> & Pick<Deps, 'jobJournals'>,
  open: OpenStream,
  { tenant, expiresAtMs }: Principal,
  topic: PushTopic,
  lastEventId: string | undefined,
): Promise<Reply> {
  const opened = await openTopic(deps, tenant, topic);
  const terms = termsOf(tenant, opened, deps.jobJournals);
  const { journals, isLast = () => false } = terms;
  const seen = Number(lastEventId ?? -1);
  const isDone = async () => isEntryAt(deps, journals[0] ?? tenant, seen, isLast);
  if (opened.isOver && (await isDone())) return nothingToCome;
  return open({ ...terms, seen: [Math.max(seen, opened.start ?? -1)], untilMs: expiresAtMs });
}
