import type { BlobStore } from '../ports/blob-store.ts';
import type { Clock } from '../ports/clock.ts';
import type { EventBus } from '../ports/event-bus.ts';
import type { Ids } from '../ports/ids.ts';
import type { HealthProbe } from '../ports/health-probe.ts';
import type { JobQueue } from '../ports/job-queue.ts';
import type { JournalSignal } from '../ports/journal-signal.ts';
import type { Log } from '../ports/log.ts';
import type { Metrics } from '../ports/metrics.ts';
import type { PartnerTransport } from '../ports/partner-transport.ts';
import type { RecordStore } from '../ports/record-store.ts';
import type { SecretStore } from '../ports/secret-store.ts';
import type { TokenVerifier } from '../ports/token-verifier.ts';
import type { UploadGate } from '../ports/upload-gate.ts';
import type { WorkflowEngine } from '../ports/workflow-engine.ts';
import type { CommitLanes } from './journal/commit-lanes.ts';

/** All that the product is built on. A function takes the part that it needs: `Pick<Deps, …>`. */
export interface Deps {
  readonly records: RecordStore;
  readonly blobs: BlobStore;
  readonly uploads: UploadGate;
  readonly bus: EventBus;
  readonly signal: JournalSignal;
  readonly verifier: TokenVerifier;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly workflows: WorkflowEngine;
  readonly secrets: SecretStore;
  readonly partners: PartnerTransport;
  readonly probe: HealthProbe;
  readonly queue: JobQueue;
  readonly lanes: CommitLanes;
  /** Over how many journals the jobs of a tenant are spread: 1 to 16, fixed for an installation. */
  readonly jobJournals: number;
}
