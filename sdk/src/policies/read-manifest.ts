import { BadAnswerError } from '../api/errors.ts';
import { parseJson } from '../api/parse-json.ts';
import type { Manifest, ManifestItem, ServedCanary, WaitingRule } from '../wire/manifest.ts';

type Unknown<T> = { readonly [K in keyof T]?: unknown };

/**
 * A page of a manifest, held against what such a page must be.
 * Errors: `BadAnswerError`.
 */
export function readManifest(bytes: Uint8Array, channel: string): Manifest {
  const value = parseJson(bytes) as Unknown<Manifest> | null;
  const { items, next } = value ?? {};
  if (!Array.isArray(items) || !isTextOrNull(next) || value?.channel !== channel) {
    throw new BadAnswerError(`The answer is no manifest of ${channel}.`);
  }
  return { channel: channel as Manifest['channel'], items: items.map(itemOf), next };
}

function itemOf(value: unknown): ManifestItem {
  const { id, etag, snapshot, version, bodyDigest, gen, next, canary } = (value ??
    {}) as Unknown<ManifestItem>;
  const good =
    typeof id === 'string' &&
    isTextOrNull(snapshot) &&
    isTextOrNull(version) &&
    (snapshot === null) === (version === null) &&
    Number.isSafeInteger(gen);
  if (!good) throw new BadAnswerError(`The manifest has an item that is none: ${String(id)}.`);
  return {
    id,
    etag: isTextOrNull(etag) ? etag : null,
    snapshot,
    version,
    bodyDigest: digestOf(bodyDigest),
    gen: gen as number,
    next: waitingOf(id, next),
    canary: canaryOf(id, canary),
  };
}

function waitingOf(id: string, value: unknown): WaitingRule | null {
  if (value === null || value === undefined) return null;
  const { snapshot, version, bodyDigest, effectiveAt } = value as Unknown<WaitingRule>;
  const good =
    typeof snapshot === 'string' &&
    typeof version === 'string' &&
    typeof effectiveAt === 'string' &&
    !Number.isNaN(Date.parse(effectiveAt));
  if (!good) throw new BadAnswerError(`The manifest has no good rule that waits for ${id}.`);
  return { snapshot, version, bodyDigest: digestOf(bodyDigest), effectiveAt };
}

function canaryOf(id: string, value: unknown): ServedCanary | null {
  if (value === null || value === undefined) return null;
  const { run, holdsSeconds, stable } = value as Unknown<ServedCanary>;
  const { snapshot, version, bodyDigest } = (stable ?? {}) as Unknown<WaitingRule>;
  const isRule = typeof snapshot === 'string' && typeof version === 'string';
  const good = Number.isSafeInteger(run) && Number(holdsSeconds) > 0 && (isRule || stable === null);
  if (!good) throw new BadAnswerError(`The manifest has no good canary of ${id}.`);
  return {
    run: run as number,
    holdsSeconds: Number(holdsSeconds),
    stable: isRule ? { snapshot, version, bodyDigest: digestOf(bodyDigest) } : null,
  };
}

/** From a service that does not name it yet, it is missing. */
function digestOf(value: unknown): string | null {
  if (value === null || value === undefined) return null;
  if (typeof value === 'string' && value.startsWith('sha256:')) return value;
  throw new BadAnswerError('The manifest has a digest that is none.');
}

function isTextOrNull(value: unknown): value is string | null {
  return value === null || typeof value === 'string';
}
