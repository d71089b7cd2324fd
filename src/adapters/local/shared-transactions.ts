import type { DatabaseSync } from 'node:sqlite';

interface Member {
  /** Whether it was done; false: undo it. */
  readonly work: () => boolean;
  readonly resolve: (isDone: boolean) => void;
  readonly reject: (error: unknown) => void;
}

/** So that one transaction does not keep readers waiting for long. */
const maxMembers = 100;

/**
 * Does the first piece of work of a turn of the event loop at once, and puts what else comes in that
 * turn into one transaction, and so under one sync of the disk. Each piece is done whole or not at
 * all, whatever becomes of the others, and sees what those before it have done.
 */
export class SharedTransactions {
  readonly #database: DatabaseSync;
  readonly #sql: ReturnType<typeof prepare>;
  readonly #finish: () => void;
  #waiting: Member[] = [];
  /** Something has been done in this turn. */
  #isBusy = false;

  /** `finish` is done once in each transaction, after all work. */
  constructor(database: DatabaseSync, finish: () => void) {
    this.#database = database;
    this.#sql = prepare(database);
    this.#finish = finish;
  }

  /**
   * Resolves with what `work` answers, once that is on the disk.
   * Errors: what `work` throws, and then it is undone; whatever keeps the transaction from its end.
   */
  async run(work: () => boolean): Promise<boolean> {
    return new Promise((resolve, reject) => {
      const member = { work, resolve, reject };
      if (this.#isBusy) {
        this.#waiting.push(member);
        return;
      }
      // Alone, it has no reason to wait, and what it was decided on is as it was.
      this.#isBusy = true;
      setImmediate(this.#endTurn);
      this.#runAll([member]);
    });
  }

  readonly #endTurn = () => {
    const members = this.#waiting.splice(0, maxMembers);
    this.#isBusy = members.length > 0;
    if (!this.#isBusy) return;
    setImmediate(this.#endTurn);
    this.#runAll(members);
  };

  #runAll(members: readonly Member[]): void {
    try {
      for (const settle of this.#transact(members)) settle();
    } catch (error) {
      for (const { reject } of members) reject(error);
    }
  }

  /** Answers what is to be told once the transaction is on the disk. */
  #transact(members: readonly Member[]): (() => void)[] {
    this.#sql.begin.run();
    try {
      const settles = members.map((member) => this.#attempt(member));
      this.#finish();
      this.#sql.commit.run();
      return settles;
    } finally {
      if (this.#database.isTransaction) this.#sql.rollback.run();
    }
  }

  #attempt({ work, resolve, reject }: Member): () => void {
    this.#sql.save.run();
    try {
      const isDone = work();
      if (!isDone) this.#sql.undo.run();
      this.#sql.release.run();
      return () => resolve(isDone);
    } catch (error) {
      // Some errors end the transaction, and with it what the others did.
      if (!this.#database.isTransaction) throw error;
      this.#sql.undo.run();
      this.#sql.release.run();
      return () => reject(error);
    }
  }
}

function prepare(database: DatabaseSync) {
  return {
    begin: database.prepare('BEGIN IMMEDIATE'),
    commit: database.prepare('COMMIT'),
    rollback: database.prepare('ROLLBACK'),
    save: database.prepare('SAVEPOINT member'),
    undo: database.prepare('ROLLBACK TO member'),
    release: database.prepare('RELEASE member'),
  };
}
