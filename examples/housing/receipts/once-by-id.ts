const maxKept = 10_000;

/**
 * Does what an id stands for once: a repeat waits for the first one and shares its outcome, and what
 * failed is done anew. It knows the latest 10 000 ids of this process: after a restart, a repeat is
 * done once more.
 */
export function onceById(): (id: string, act: () => Promise<void>) => Promise<void> {
  const acts = new Map<string, Promise<void>>();
  return async (id, act) => {
    const begun = acts.get(id);
    if (begun !== undefined) return begun;
    const acting = act();
    acts.set(id, acting);
    const [oldest] = acts.keys();
    if (acts.size > maxKept && oldest !== undefined) acts.delete(oldest);
    try {
      await acting;
    } catch (error) {
      acts.delete(id);
      throw error;
    }
  };
}
