import { type CelInput, type CelValue, isCelError, parse, plan } from '@bufbuild/cel';
import { expressionLimits } from './expression-limits.ts';
import { ExpressionInspector } from './inspect-expression.ts';
import { forgetReading, patternBytes } from './linear-pattern.ts';
import { meteredEnv, spending, type Work } from './metered-env.ts';
import { StepBudget } from './step-budget.ts';

const { maxExpressionBytes, maxBrackets } = expressionLimits;

export type Evaluated = { readonly value: CelValue } | { readonly error: string };

export interface Expression {
  /** What its patterns take in memory, about. */
  readonly patternBytes: number;
  /**
   * The value with these variables, or why there is none. Never throws; time and memory are
   * bounded by the limits, whatever the variables hold. What it costs is taken off the budget,
   * which is its own unless given.
   */
  evaluate(variables: Readonly<Record<string, CelInput>>, budget?: StepBudget): Evaluated;
}

export type Compiled = { readonly expression: Expression } | { readonly problem: string };

/** Parses an expression and checks that it names only these variables. Never throws. */
export function compileExpression(text: string, variables: readonly string[]): Compiled {
  const problem = textProblem(text);
  if (problem !== undefined) return { problem };
  try {
    const { expr } = parse(text);
    const inspector = new ExpressionInspector();
    inspector.inspect(expr, variables);
    return { expression: planned(plan(meteredEnv, expr), inspector.patterns) };
  } catch (error) {
    return { problem: oneLine(error) };
  }
}

/** What must hold before a recursive parser may see it. */
function textProblem(text: string): string | undefined {
  if (new TextEncoder().encode(text).byteLength > maxExpressionBytes) {
    return `is longer than ${maxExpressionBytes} bytes`;
  }
  let open = 0;
  for (const char of text) {
    if ('([{'.includes(char)) open += 1;
    else if (')]}'.includes(char)) open = Math.max(0, open - 1);
    if (open > maxBrackets) return `has more than ${maxBrackets} brackets within each other`;
  }
  return undefined;
}

function planned(
  run: (variables: Record<string, CelInput>) => CelValue | Error,
  patterns: Work['patterns'],
): Expression {
  return {
    patternBytes: [...patterns.values()].reduce((sum, pattern) => sum + patternBytes(pattern), 0),
    evaluate(variables, budget = new StepBudget()) {
      // Without a prototype: `constructor` is no variable.
      const bindings = Object.assign(Object.create(null), variables) as Record<string, CelInput>;
      const value = spending({ budget, patterns }, () => run(bindings));
      for (const pattern of patterns.values()) forgetReading(pattern);
      // A `||` may have swallowed that error.
      if (budget.left < 0) return { error: `is more work than ${budget.maxSteps} steps` };
      return isCelError(value) ? { error: explained(value) } : { value: value as CelValue };
    },
  };
}

/** The trap that everyone steps into once. */
function explained(error: unknown): string {
  const text = oneLine(error);
  const mixed = text.includes('(double, int)') || text.includes('(int, double)');
  return mixed ? `${text}: numbers of JSON are doubles, so write 2.0 for 2` : text;
}

function oneLine(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  const placed = text.replace(/^<input>:(\d+):(\d+)/, 'line $1, column $2');
  const plain = placed.replaceAll(/\p{C}+/gu, ' ').trim();
  return plain.length > 160 ? `${plain.slice(0, 160).toWellFormed()}…` : plain;
}
