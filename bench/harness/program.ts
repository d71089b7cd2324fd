import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/** A program of ours in a process of its own, that answers one question at a time. */
export interface Program<Question, Answer> extends AsyncDisposable {
  readonly pid: number;
  ask(question: Question): Promise<Answer>;
}

type Message<Answer> = { readonly answer: Answer } | { readonly failure: string };

/** Starts a file of this folder. The program ends with this process, however that ends. */
export async function startProgram<Question, Answer>(
  name: string,
): Promise<Program<Question, Answer>> {
  const file = fileURLToPath(import.meta.resolve(`./${name}.ts`));
  const child = fork(file, { execArgv: [], stdio: 'inherit', serialization: 'advanced' });
  await once(child, 'spawn');
  const exited = once(child, 'exit');
  return {
    pid: child.pid ?? 0,
    async ask(question) {
      child.send(question as object);
      const message = await Promise.race([
        once(child, 'message').then(([first]) => first as Message<Answer>),
        exited.then(([code]): never => {
          throw new Error(`${name} ended with ${String(code)}`);
        }),
      ]);
      if ('failure' in message) throw new Error(`${name}: ${message.failure}`);
      return message.answer;
    },
    async [Symbol.asyncDispose]() {
      if (child.connected) child.disconnect();
      await exited;
    },
  };
}

/** The other side: answers what the bench asks, until the bench is gone. */
export function answerQuestions(answer: (question: unknown) => Promise<unknown>): void {
  process.on('message', async (question) => {
    try {
      process.send?.({ answer: await answer(question) });
    } catch (error) {
      process.send?.({ failure: error instanceof Error ? error.message : String(error) });
    }
  });
  process.once('disconnect', () => process.exit());
}
