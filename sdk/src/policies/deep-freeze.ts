/** Freezes a value parsed from JSON and all that is in it, however deep. */
export function deepFreeze<T>(value: T): T {
  const open: unknown[] = [value];
  while (open.length > 0) {
    const next = open.pop();
    if (typeof next !== 'object' || next === null) continue;
    Object.freeze(next);
    for (const member of Object.values(next)) {
      if (typeof member === 'object') open.push(member);
    }
  }
  return value;
}
