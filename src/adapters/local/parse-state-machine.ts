import type { Json } from '../../core/values/json.ts';
import type {
  ChoiceState,
  FailState,
  MapState,
  Retrier,
  State,
  StateGraph,
  StateMachine,
  TaskState,
  WaitState,
} from './state-machine.ts';
import { isObject, isPath } from './state-paths.ts';
import type { JsonObject, Path } from './state-paths.ts';

/** The resource of a task that waits for its token; CDK puts the service integration there. */
const waitingResource = '${InvokeAndWait}';

/** Of Step Functions. */
const maxSeconds = 99_999_999;
/** Deeper is none, and a definition that goes on and on would overflow the stack. */
const maxDepth = 3;

/**
 * Reads a definition of `statemachines/`. Errors: an `Error` that names the place, when it holds
 * anything that the embedded engine would run differently from Step Functions, or not at all.
 */
export function parseStateMachine(definition: Json): StateMachine {
  const fields = fieldsOf(definition, '', ['Comment', 'StartAt', 'States', 'TimeoutSeconds']);
  return { ...parseGraph(fields, '', 1), timeoutMs: msOf(fields, 'TimeoutSeconds', '') };
}

function parseGraph(fields: JsonObject, at: string, depth: number): StateGraph {
  if (depth > maxDepth) throw problem(at, 'is nested too deep');
  const startAt = textOf(fields, 'StartAt', at);
  const named = fields['States'];
  if (!isObject(named)) throw problem(`${at}/States`, 'must be an object');
  const states = new Map<string, State>();
  for (const [name, state] of Object.entries(named)) {
    states.set(name, parseState(state, `${at}/States/${name}`, depth));
  }
  checkTransitions({ startAt, states }, at);
  return { startAt, states };
}

function parseState(value: Json, at: string, depth: number): State {
  const type = isObject(value) ? value['Type'] : undefined;
  const read = (...known: readonly string[]) => fieldsOf(value, at, ['Type', 'Comment', ...known]);
  switch (type) {
    case 'Task':
      return parseTask(
        read('Resource', 'Parameters', 'ResultPath', 'TimeoutSeconds', 'Retry', 'Next', 'End'),
        at,
      );
    case 'Map': {
      const known = ['ItemsPath', 'ItemSelector', 'ItemProcessor', 'MaxConcurrency', 'ResultPath'];
      return parseMap(read(...known, 'Next', 'End'), at, depth);
    }
    case 'Choice':
      return parseChoice(read('Choices', 'Default'), at);
    case 'Wait':
      return parseWait(read('SecondsPath', 'Next'), at);
    case 'Succeed':
      read();
      return { type };
    case 'Fail':
      return parseFail(read('Error', 'Cause'), at);
    default:
      throw problem(`${at}/Type`, 'must be Task, Map, Choice, Wait, Succeed or Fail');
  }
}

function parseTask(fields: JsonObject, at: string): TaskState {
  const resource = textOf(fields, 'Resource', at);
  if (!/^\$\{\w+\}$/.test(resource)) throw problem(`${at}/Resource`, 'must be a ${Placeholder}');
  const waitsForToken = resource === waitingResource;
  const parameters = templateOf(fields, 'Parameters', at);
  const input = waitsForToken ? payloadOf(parameters, `${at}/Parameters`) : parameters;
  return {
    type: 'Task',
    task: textOf(input, 'task', `${at}/Parameters${waitsForToken ? '/Payload' : ''}`),
    input,
    waitsForToken,
    timeoutMs: msOf(fields, 'TimeoutSeconds', at),
    retry: listOf(fields, 'Retry', at).map((item, i) => parseRetrier(item, `${at}/Retry/${i}`)),
    ...stepOf(fields, at),
  };
}

function payloadOf(parameters: JsonObject, at: string): JsonObject {
  const fields = fieldsOf(parameters, at, ['FunctionName', 'Payload']);
  textOf(fields, 'FunctionName', at);
  return templateOf(fields, 'Payload', at);
}

function parseRetrier(value: Json, at: string): Retrier {
  const known = ['ErrorEquals', 'IntervalSeconds', 'BackoffRate', 'MaxDelaySeconds', 'MaxAttempts'];
  const fields = fieldsOf(value, at, [...known, 'JitterStrategy']);
  const jitter = textOf(fields, 'JitterStrategy', at);
  if (jitter !== 'FULL' && jitter !== 'NONE') {
    throw problem(`${at}/JitterStrategy`, 'must be FULL or NONE');
  }
  return {
    errors: listOf(fields, 'ErrorEquals', at).map((name, i) => {
      const wildcard = name === 'States.ALL' || name === 'States.TaskFailed';
      if (typeof name === 'string' && !wildcard) return name;
      throw problem(`${at}/ErrorEquals/${i}`, 'must be the name of one error');
    }),
    intervalMs: msOf(fields, 'IntervalSeconds', at),
    backoffRate: numberOf(fields, 'BackoffRate', at, 1, 100),
    maxDelayMs: msOf(fields, 'MaxDelaySeconds', at),
    maxAttempts: wholeOf(fields, 'MaxAttempts', at, 0, 99_999_999),
    jitter: jitter === 'FULL',
  };
}

function parseMap(fields: JsonObject, at: string, depth: number): MapState {
  const place = `${at}/ItemProcessor`;
  const known = ['ProcessorConfig', 'StartAt', 'States'];
  const processor = fieldsOf(fields['ItemProcessor'], place, known);
  const config = fieldsOf(processor['ProcessorConfig'], `${place}/ProcessorConfig`, ['Mode']);
  if (config['Mode'] !== 'INLINE') throw problem(`${place}/ProcessorConfig/Mode`, 'must be INLINE');
  const step = stepOf(fields, at);
  if (step.resultName !== undefined) throw problem(`${at}/ResultPath`, 'must be null');
  return {
    type: 'Map',
    itemsPath: pathOf(fields, 'ItemsPath', at),
    item: templateOf(fields, 'ItemSelector', at),
    maxConcurrency: wholeOf(fields, 'MaxConcurrency', at, 1, 40),
    each: parseGraph(processor, place, depth + 1),
    ...step,
  };
}

function parseChoice(fields: JsonObject, at: string): ChoiceState {
  return {
    type: 'Choice',
    choices: listOf(fields, 'Choices', at).map((value, i) => {
      const place = `${at}/Choices/${i}`;
      const rule = fieldsOf(value, place, ['Variable', 'StringEquals', 'Next']);
      const path = pathOf(rule, 'Variable', place);
      return {
        path,
        equals: textOf(rule, 'StringEquals', place),
        next: textOf(rule, 'Next', place),
      };
    }),
    otherwise: textOf(fields, 'Default', at),
  };
}

function parseWait(fields: JsonObject, at: string): WaitState {
  const secondsPath = pathOf(fields, 'SecondsPath', at);
  return { type: 'Wait', secondsPath, next: textOf(fields, 'Next', at) };
}

function parseFail(fields: JsonObject, at: string): FailState {
  return { type: 'Fail', error: textOf(fields, 'Error', at), cause: textOf(fields, 'Cause', at) };
}

/** Every state that is named exists, and every state is reached. */
function checkTransitions({ startAt, states }: StateGraph, at: string): void {
  const reached = new Set<string>();
  const ahead = [{ from: `${at}/StartAt`, name: startAt }];
  for (let one = ahead.pop(); one !== undefined; one = ahead.pop()) {
    const state = states.get(one.name);
    if (state === undefined) throw problem(one.from, `names '${one.name}', which is no state`);
    if (reached.has(one.name)) continue;
    reached.add(one.name);
    const from = `${at}/States/${one.name}`;
    ahead.push(...nextOf(state).map((name) => ({ from, name })));
  }
  for (const name of states.keys()) {
    if (!reached.has(name)) throw problem(`${at}/States/${name}`, 'is never reached');
  }
}

function nextOf(state: State): readonly string[] {
  if (state.type === 'Choice') return [...state.choices.map(({ next }) => next), state.otherwise];
  return 'next' in state && state.next !== undefined ? [state.next] : [];
}

function stepOf(fields: JsonObject, at: string) {
  const ends = fields['End'] === true;
  if (ends === 'Next' in fields) throw problem(at, 'must have either a Next or "End": true');
  return { next: ends ? undefined : textOf(fields, 'Next', at), resultName: resultOf(fields, at) };
}

function resultOf(fields: JsonObject, at: string): string | undefined {
  if (fields['ResultPath'] === null) return undefined;
  const path = textOf(fields, 'ResultPath', at);
  // The state's input has to survive.
  if (!/^\$\.[A-Za-z]\w*$/.test(path)) throw problem(`${at}/ResultPath`, 'must be $.name, or null');
  return path.slice(2);
}

function fieldsOf(value: Json | undefined, at: string, known: readonly string[]): JsonObject {
  if (!isObject(value)) throw problem(at, 'must be an object');
  for (const name of Object.keys(value)) {
    if (!known.includes(name)) throw problem(`${at}/${name}`, 'is not supported');
  }
  return value;
}

function templateOf(fields: JsonObject, name: string, at: string): JsonObject {
  const value = fields[name];
  if (!isObject(value)) throw problem(`${at}/${name}`, 'must be an object');
  for (const [key, inner] of Object.entries(value)) {
    if (key.endsWith('.$')) pathOf(value, key, `${at}/${name}`);
    else if (isObject(inner)) templateOf(value, key, `${at}/${name}`);
    else if (Array.isArray(inner)) throw problem(`${at}/${name}/${key}`, 'must not be a list');
  }
  return value;
}

function pathOf(fields: JsonObject, name: string, at: string): Path {
  const path = textOf(fields, name, at);
  if (!isPath(path)) throw problem(`${at}/${name}`, 'must be a path: $.name, or $$.Name.Name');
  return path;
}

function textOf(fields: JsonObject, name: string, at: string): string {
  const value = fields[name];
  if (typeof value !== 'string') throw problem(`${at}/${name}`, 'must be a string');
  return value;
}

function listOf(fields: JsonObject, name: string, at: string): readonly Json[] {
  const value = fields[name];
  if (Array.isArray(value) && value.length > 0) return value;
  throw problem(`${at}/${name}`, 'must be a list of at least one');
}

function msOf(fields: JsonObject, name: string, at: string): number {
  return wholeOf(fields, name, at, 1, maxSeconds) * 1000;
}

function wholeOf(fields: JsonObject, name: string, at: string, min: number, max: number): number {
  const value = numberOf(fields, name, at, min, max);
  if (!Number.isInteger(value)) throw problem(`${at}/${name}`, 'must be a whole number');
  return value;
}

function numberOf(fields: JsonObject, name: string, at: string, min: number, max: number): number {
  const value = fields[name];
  if (typeof value === 'number' && value >= min && value <= max) return value;
  throw problem(`${at}/${name}`, `must be a number from ${min} to ${max}`);
}

function problem(at: string, what: string): Error {
  return new Error(`The state machine is not valid: ${at === '' ? '(the whole)' : at} ${what}.`);
}
