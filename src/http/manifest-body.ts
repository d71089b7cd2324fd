import { serviceManifest } from '../contract/service-schemas.ts';
import { InvalidRequest, Unprocessable } from '../core/errors/app-error.ts';
import { decodeUtf8 } from '../core/packages/decode-utf8.ts';
import type { ServiceManifest } from '../core/registry/service-record.ts';
import type { Json } from '../core/values/json.ts';
import { parseStrictJson } from '../core/values/strict-json.ts';
import { parsePart } from './read-request.ts';

const maxDepth = 32;

/**
 * The manifest of the service `name`, in JSON or YAML, with every default in its place.
 * Errors: `InvalidRequest` with a pointer for each thing that is wrong.
 */
export async function readManifest(
  name: string,
  body: { readonly contentType: string; readonly bytes: Uint8Array },
): Promise<ServiceManifest> {
  const value = await valueOf(body);
  const manifest = parsePart(serviceManifest, value, 'body');
  if (manifest.name !== undefined && manifest.name !== name) {
    throw new InvalidRequest('The manifest is that of another service.', [
      { pointer: '/name', detail: `must be ${name}, as in the address, or left out` },
    ]);
  }
  return { ...manifest, name };
}

async function valueOf({
  contentType,
  bytes,
}: {
  readonly contentType: string;
  readonly bytes: Uint8Array;
}): Promise<Json> {
  const text = decodeUtf8(bytes);
  if (text === undefined) throw unreadable('is not UTF-8');
  if (contentType !== 'application/json') return yamlOf(text);
  const parsed = parseStrictJson(text, maxDepth);
  if ('value' in parsed) return parsed.value;
  throw unreadable(parsed.problem);
}

async function yamlOf(text: string): Promise<Json> {
  // Loaded by who needs it: most manifests come as JSON.
  const { yamlToJson } = await import('../core/packages/yaml-to-json.ts');
  try {
    return yamlToJson(text);
  } catch (error) {
    if (error instanceof Unprocessable) throw new InvalidRequest(error.message, error.details);
    throw error;
  }
}

function unreadable(problem: string): InvalidRequest {
  return new InvalidRequest('The manifest cannot be read.', [{ pointer: '', detail: problem }]);
}
