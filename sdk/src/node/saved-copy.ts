import { HmsError } from '../api/errors.ts';
import { textOf } from '../policies/announcements.ts';
import type { RestoredRules, RuleCopy, RulesToKeep } from '../policies/rule-copy.ts';
import { confirmFile, readOwnFile, removeLeftovers, replaceFile } from './cache-file.ts';
import { type CopyOwner, restoreRules, textOfRules } from './rule-text.ts';

const confirmEveryMs = 60_000;

/**
 * A copy of the rules in a file, that is replaced as a whole: several processes may share it, and one
 * that is killed leaves the one from before. One write at a time; of those asked for meanwhile, the
 * last.
 */
export class SavedCopy implements RuleCopy {
  readonly #file: string;
  readonly #owner: CopyOwner;
  readonly #onFailure: (error: unknown) => void;
  #next: (() => Promise<void>) | undefined;
  #writing: Promise<void> | undefined;
  #confirmedMs = -Infinity;
  #isBroken = false;

  constructor(file: string, owner: CopyOwner, onFailure: (error: unknown) => void) {
    this.#file = file;
    this.#owner = owner;
    this.#onFailure = onFailure;
  }

  get isBroken(): boolean {
    return this.#isBroken;
  }

  readonly load = async (): Promise<RestoredRules | null> => {
    try {
      await removeLeftovers(this.#file);
      const found = await readOwnFile(this.#file);
      if (found === null) return null;
      const restored = await restoreRules(found.text, this.#owner);
      const confirmedAtMs = Math.max(restored.checkedAtMs, Math.floor(found.changedAtMs));
      return { ...restored, checkedAtMs: Math.min(confirmedAtMs, Date.now()) };
    } catch (error) {
      throw new HmsError(`${this.#file}: ${textOf(error)}`, { cause: error });
    }
  };

  readonly save = (now: () => RulesToKeep): void => {
    this.#confirmedMs = performance.now();
    this.#write(async () => replaceFile(this.#file, textOfRules(this.#owner, now())));
  };

  readonly confirm = (checkedAtMs: number): void => {
    const nowMs = performance.now();
    // A save that waits says it, too.
    if (nowMs - this.#confirmedMs < confirmEveryMs || this.#next !== undefined) return;
    this.#confirmedMs = nowMs;
    this.#write(async () => confirmFile(this.#file, checkedAtMs));
  };

  readonly settled = async (): Promise<void> => this.#writing;

  #write(write: () => Promise<void>): void {
    this.#next = write;
    this.#writing ??= this.#writeAll();
  }

  async #writeAll(): Promise<void> {
    while (this.#next !== undefined) {
      const write = this.#next;
      this.#next = undefined;
      try {
        await write();
        this.#isBroken = false;
      } catch (error) {
        if (!this.#isBroken) this.#onFailure(error);
        this.#isBroken = true;
      }
    }
    this.#writing = undefined;
  }
}
