import type { ErrorDetail } from '../errors/app-error.ts';
import type { Json } from '../values/json.ts';
import type { DataSchema, SchemaIssue } from './define-worker.ts';

const maxFindings = 20;

/** Data as its worker takes it, or what is wrong with it, each by its place in `data`. */
export async function parseJobData<Data>(
  schema: DataSchema<Data>,
  data: Json,
): Promise<{ readonly data: Data } | { readonly findings: readonly ErrorDetail[] }> {
  const parsed = await schema['~standard'].validate(data);
  if (parsed.issues === undefined) return { data: parsed.value };
  return { findings: parsed.issues.slice(0, maxFindings).map(findingOf) };
}

function findingOf({ message, path = [] }: SchemaIssue): ErrorDetail {
  const keys = path.map((part) => String(typeof part === 'object' ? part.key : part));
  const pointer = keys.map((key) => `/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
  return { pointer: `/data${pointer}`, detail: message };
}
