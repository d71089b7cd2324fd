/** What bounds the calls that go through the gateway. */
export const gatewayLimits = {
  /** Of one call, the first included. */
  maxTries: 3,
  /** A request body up to that size is kept until it is answered, so that it can be sent again. */
  maxReplayBytes: 64 * 1024,
  /** An answer that is no longer is read before it is passed on: it can be asked for again. */
  maxWholeAnswerBytes: 16 * 1024,
  /** A stream without a byte in either direction ends after that. */
  idleMs: 60_000,
  /** Of one tenant, under way in one process. */
  maxOpenCalls: 512,
  /** Of one target, under way in one process. */
  maxTargetCalls: 256,
  /** Services that a process remembers how they did. */
  maxServices: 5000,
  /** The keys that calls are signed with are read again after that. */
  maxKeyAgeMs: 300_000,
} as const;
