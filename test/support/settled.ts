import type { Service } from './service.ts';

const pauseMs = 100;

/**
 * Makes sure of something that a reader sees: at once, or, where reads may lag behind writes,
 * when they have caught up.
 */
export async function settled<T>({ lagMs }: Service, check: () => Promise<T>): Promise<T> {
  for (const start = performance.now(); ;) {
    try {
      return await check();
    } catch (error) {
      if (performance.now() - start >= lagMs) throw error;
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
    }
  }
}
