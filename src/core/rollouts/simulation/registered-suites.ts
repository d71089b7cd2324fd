import type { Deps } from '../../deps.ts';
import { Conflict, NotFound, TooLarge, Unprocessable } from '../../errors/app-error.ts';
import { commit, type Decision } from '../../journal/commit.ts';
import type { Origin } from '../../journal/journal-entry.ts';
import { decodeUtf8 } from '../../packages/decode-utf8.ts';
import { digestName, sha256Hex } from '../../packages/digest.ts';
import { yamlToJsonText } from '../../packages/yaml-to-json.ts';
import { getRecord, queryRecords } from '../../records.ts';
import type { Json } from '../../values/json.ts';
import { parseStrictJson } from '../../values/strict-json.ts';
import { parseSuite } from './parse-suite.ts';
import { simulationLimits } from './simulation-limits.ts';
import { isSuiteName } from './suite.ts';
import { type RegisteredSuite, suiteKey, suitesPartition } from './suite-keys.ts';

const { maxRunBytes, maxSuiteBytes, maxSuiteDepth, maxSuites } = simulationLimits;

/** What a caller handed in. */
export interface SuiteUpload {
  readonly form: 'json' | 'yaml';
  readonly bytes: Uint8Array;
}

export interface PutSuite {
  readonly status: 'stored' | 'unchanged';
  readonly suite: RegisteredSuite;
}

/**
 * Registers a suite, or replaces it. The same document again, however it is written: `unchanged`.
 * One blob put and one transaction. Errors: `Unprocessable` with a pointer for everything wrong,
 * `TooLarge`, `Conflict` with 500 suites; puts at the same moment may go a little beyond.
 */
export async function putSuite(
  deps: Pick<Deps, 'records' | 'blobs' | 'clock' | 'ids' | 'signal'>,
  origin: Origin,
  name: string,
  upload: SuiteUpload,
  reason: string | null = null,
): Promise<PutSuite> {
  const { tenant, actor } = origin;
  const text = jsonTextOf(upload);
  const { policies, size } = parseSuite(name, JSON.parse(text) as Json);
  const bytes = new TextEncoder().encode(text);
  const digest = sha256Hex(bytes);
  const described = { name, policies, scenarios: size, digest, sizeBytes: bytes.byteLength };
  let kept: Promise<unknown> | undefined;
  return commit(deps, origin, async (): Promise<Decision<PutSuite>> => {
    const key = suiteKey(tenant, name);
    const found = await getRecord(deps, key);
    const known = found?.value;
    if (known?.digest === digest) {
      return { kind: 'unchanged', result: { status: 'unchanged', suite: known } };
    }
    if (known === undefined) await requireRoom(deps, tenant);
    await (kept ??= deps.blobs.put({ tenant, digest }, bytes));
    const changed = ({ at }: { at: string }): RegisteredSuite => ({
      ...described,
      changedAt: at,
      changedBy: actor,
    });
    return {
      kind: 'change',
      entry: {
        action: 'suite.put',
        subject: `suite:${name}`,
        before: known === undefined ? null : stateOf(known),
        after: stateOf(described),
        reason,
      },
      writes: (entry) => [
        { kind: 'put', key, value: changed(entry), expect: found?.rev ?? 'absent' },
      ],
      result: (entry) => ({ status: 'stored', suite: changed(entry) }),
    };
  });
}

/** A registered suite with its document. Errors: `NotFound`. */
export async function getSuite(
  deps: Pick<Deps, 'records' | 'blobs'>,
  tenant: string,
  name: string,
): Promise<{ suite: RegisteredSuite; document: Json }> {
  const found = isSuiteName(name) ? await getRecord(deps, suiteKey(tenant, name)) : undefined;
  if (found === undefined) throw new NotFound('There is no such suite.');
  return { suite: found.value, document: await documentOf(deps, tenant, found.value) };
}

/**
 * The registered suites that are for at least one of these policies, by name.
 * Errors: `Unprocessable` when they are too large for one run.
 */
export async function listSuitesFor(
  deps: Pick<Deps, 'records'>,
  tenant: string,
  policyIds: readonly string[],
): Promise<RegisteredSuite[]> {
  const partition = suitesPartition(tenant);
  const found = await queryRecords<RegisteredSuite>(deps, { partition, limit: 1000 });
  const wanted = new Set(policyIds);
  const suites = found
    .map(({ value }) => value)
    .filter(({ policies }) => policies.some((id) => wanted.has(id)));
  const sizeBytes = suites.reduce((sum, suite) => sum + suite.sizeBytes, 0);
  if (sizeBytes <= maxRunBytes) return suites;
  const detail = `the ${suites.length} suites registered for these policies have more than ${maxRunBytes / 1024 / 1024} MiB together; make them smaller`;
  throw new Unprocessable('invalid_policy', `The simulation is refused: ${detail}.`);
}

/** What a record names stays, also when its suite has been replaced since. */
export async function documentOf(
  deps: Pick<Deps, 'blobs'>,
  tenant: string,
  { name, digest }: Pick<RegisteredSuite, 'name' | 'digest'>,
): Promise<Json> {
  const bytes = await deps.blobs.get({ tenant, digest });
  if (bytes === undefined) throw new Error(`The document ${digest} of the suite ${name} is gone.`);
  return JSON.parse(new TextDecoder().decode(bytes)) as Json;
}

async function requireRoom(deps: Pick<Deps, 'records'>, tenant: string): Promise<void> {
  const partition = suitesPartition(tenant);
  const found = await deps.records.query({ partition, limit: maxSuites });
  if (found.length < maxSuites) return;
  throw new Conflict(`There are ${maxSuites} suites, which is the most. Replace one of them.`);
}

function stateOf({
  policies,
  scenarios,
  digest,
}: Omit<RegisteredSuite, 'changedAt' | 'changedBy'>): Json {
  return { policies, scenarios, digest: digestName(digest) };
}

/** Minimised JSON; that of YAML keeps the order of its keys. */
function jsonTextOf({ form, bytes }: SuiteUpload): string {
  if (bytes.byteLength > maxSuiteBytes) {
    throw new TooLarge(`A suite has at most ${maxSuiteBytes / 1024 / 1024} MiB.`);
  }
  const text = decodeUtf8(bytes);
  if (text === undefined) throw refusal('is not UTF-8; save it as UTF-8');
  if (form === 'yaml') return yamlToJsonText(text);
  const parsed = parseStrictJson(text, maxSuiteDepth);
  if ('problem' in parsed) throw refusal(parsed.problem);
  return JSON.stringify(parsed.value);
}

function refusal(detail: string): Unprocessable {
  return new Unprocessable('invalid_policy', `The suite is refused: it ${detail}.`, [
    { pointer: '', detail },
  ]);
}
