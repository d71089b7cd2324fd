import type { PushTask } from '../../ports/push-queue.ts';

const maxTextBytes = 128 * 1024;
const maxTasks = 100;

const idShape = /^[A-Za-z0-9/-]{1,100}$/;
const tenantShape = /^[a-z0-9-]{1,63}$/;
const logShape = /^[a-z0-9-]{1,40}$/;
const connectionShape = /^[\x21-\x7e]{1,128}$/;
const subscriptionShape = /^[\w-]{1,64}$/;

/** A message of `ConnectionPoster` as UTF-8. Errors: `RangeError` beyond its limit. */
export function checkText(text: string): Uint8Array {
  const bytes = Buffer.from(text);
  if (bytes.byteLength > 0 && bytes.byteLength <= maxTextBytes) return bytes;
  throw new RangeError(`a message of ${bytes.byteLength} bytes; it has 1 to ${maxTextBytes}`);
}

/** Errors: `RangeError` for what `PushQueue` does not take. */
export function checkTasks(tasks: readonly PushTask[]): void {
  if (tasks.length === 0 || tasks.length > maxTasks) {
    throw new RangeError(`${tasks.length} tasks; a call takes 1 to ${maxTasks}`);
  }
  for (const task of tasks) {
    if (!isTask(task)) throw new RangeError(`no task: ${JSON.stringify(task)}`);
  }
}

/** Whether it is a task within the limits of `PushQueue`, and nothing more. */
export function isTask(value: unknown): value is PushTask {
  if (typeof value !== 'object' || value === null) return false;
  const { tenant, shard, id, kind, ...rest } = value as Readonly<Record<string, unknown>>;
  const isShard =
    fits(tenant, tenantShape) &&
    Number.isInteger(shard) &&
    Number(shard) >= 0 &&
    Number(shard) < 100;
  if (!isShard || !fits(id, idShape)) return false;
  if (kind === 'grown') return hasOnly(rest, { log: logShape });
  const joined = { connection: connectionShape, subscription: subscriptionShape };
  return kind === 'joined' && hasOnly(rest, joined);
}

function hasOnly(
  rest: Readonly<Record<string, unknown>>,
  shapes: Readonly<Record<string, RegExp>>,
): boolean {
  const names = Object.keys(shapes);
  return (
    Object.keys(rest).length === names.length &&
    Object.entries(shapes).every(([name, shape]) => fits(rest[name], shape))
  );
}

function fits(value: unknown, shape: RegExp): boolean {
  return typeof value === 'string' && shape.test(value);
}
