import { startChild } from './start-child.ts';
import type { ChildOptions } from './start-child.ts';

/** Runs a program to its end. Throws when it fails, with the end of what it wrote. */
export async function runStep(options: ChildOptions, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  const child = await startChild(options);
  const abort = (): void => void child.stop();
  signal.addEventListener('abort', abort, { once: true });
  const outcome = await child.exited;
  signal.removeEventListener('abort', abort);
  signal.throwIfAborted();
  if (outcome === 0) return;
  const line = [options.command, ...options.args].join(' ');
  throw new Error(`${line} ended with ${outcome}; ${options.logFile} says:\n${child.logTail()}`);
}
