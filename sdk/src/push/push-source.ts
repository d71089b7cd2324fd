/** What a connection tells of itself. */
export interface PushSink {
  /** It is open: from now on nothing is missed. */
  readonly opened: () => void;
  /** Where to go on after it broke. */
  readonly moved: (position: string) => void;
  /** A change, as text that nobody has looked at. */
  readonly changed: (message: string) => void;
}

/**
 * Opens one connection, after a position, and resolves when it has ended in order.
 * Errors: why it could not be opened, or broke. `ProblemError` 400 and 412: that position is no good.
 */
export type PushSource = (
  position: string | undefined,
  sink: PushSink,
  signal: AbortSignal,
) => Promise<void>;
