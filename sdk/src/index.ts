export { BadAnswerError, HmsError, NoAnswerError, ProblemError, TokenError } from './api/errors.ts';
export { type Connection, connect } from './api/connection.ts';
export type { Auth } from './api/token-source.ts';
export type { Problem, ProblemCode, ProblemDetail } from './wire/problem.ts';
export type {
  ChangeListener,
  ClientEvent,
  EventListener,
  PolicyChanged,
} from './policies/client-events.ts';
export type { ClientOptions } from './policies/client-options.ts';
export { createClient } from './policies/create-client.ts';
export type {
  ClientStatus,
  GetOptions,
  PolicyClient,
  PolicyDescription,
} from './policies/policy-client.ts';
export { NotReadyError, StaleError, UnknownPolicyError } from './policies/policy-errors.ts';
export type { RuleCandidate, VerifyRule } from './policies/rule-candidate.ts';
export type { CallOptions, SignalOptions } from './api/call-options.ts';
export { type Claim, type ClaimOptions, getClaim, submitClaim } from './claims/submit-claim.ts';
export { callService, type CallServiceOptions } from './events/call-service.ts';
export { getRule, type GetRuleOptions } from './events/get-rule.ts';
export { publishEvent, type PublishEventOptions } from './events/publish-event.ts';
export { verifyWebhook, WebhookError, type WebhookHeaders } from './events/verify-webhook.ts';
export { enqueue, type EnqueueOptions } from './jobs/enqueue.ts';
export { getJob, type Job, type ReasonOptions } from './jobs/job.ts';
export { JobCancelledError, JobDeadError, JobRejectedError } from './jobs/job-errors.ts';
export {
  getRun,
  type Run,
  RunFailedError,
  startRun,
  type StartRunOptions,
} from './rollouts/run.ts';
export type { ClaimPage, ClaimStatus } from './wire/claim.ts';
export type { DeliveredEvent, NamedRule, NewEvent } from './wire/event.ts';
export type { JobMessage, JobPage, JobStatus, NewJob } from './wire/job.ts';
export type { CanaryOptions, NewRun, RunChange, RunPage, RunStage, RunStatus } from './wire/run.ts';
