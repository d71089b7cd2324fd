import type { ConnectionPoster } from '../../ports/connection-poster.ts';
import type { PushQueue } from '../../ports/push-queue.ts';
import type { Deps } from '../deps.ts';

/** What it takes to push where a gateway holds the connections. */
export interface PushDeps extends Pick<Deps, 'records' | 'clock' | 'ids' | 'log' | 'jobJournals'> {
  readonly poster: ConnectionPoster;
  readonly pushQueue: PushQueue;
}
