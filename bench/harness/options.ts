import { parseArgs } from 'node:util';

/** What a flag means, and its value when it is not given. */
type Flags = Readonly<Record<string, readonly [value: number, meaning: string]>>;
type Numbers<F extends Flags> = { readonly [K in keyof F]: number };

/** The numbers that the command line sets. `--help`, or what is no number, ends the process. */
export function readOptions<F extends Flags>(title: string, flags: F): Numbers<F> {
  const names = Object.keys(flags);
  try {
    const values = given(names);
    if (values['help'] !== true) {
      const numbers = names.map((name) => [name, numberOf(name, values[name] ?? flags[name]?.[0])]);
      return Object.fromEntries(numbers) as Numbers<F>;
    }
    console.log(`${title}\n\n${names.map((name) => helpLine(name, flags)).join('\n')}`);
    return process.exit();
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    return process.exit(1);
  }
}

function given(names: readonly string[]): Readonly<Record<string, unknown>> {
  const numbers = names.map((name) => [name, { type: 'string' as const }]);
  const options = { help: { type: 'boolean' as const }, ...Object.fromEntries(numbers) };
  return parseArgs({ options }).values;
}

function helpLine(name: string, flags: Flags): string {
  const [value, meaning] = flags[name] ?? [];
  return `  --${`${name} <number>`.padEnd(22)} ${meaning} (${value})`;
}

function numberOf(name: string, text: unknown): number {
  const value = Number(text);
  if (value > 0) return value;
  throw new Error(`--${name} is "${String(text)}": give a number above 0.`);
}
