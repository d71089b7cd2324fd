import type { OpenUpload } from '../../ports/upload-gate.ts';
import type { Deps } from '../deps.ts';
import { claimLimits } from './claim-limits.ts';

/**
 * Lets the caller put a file past the API, to be filed by its digest (64 hex digits) thereafter.
 * What was put and is never filed is a blob that nothing names. Errors: those of the gate.
 */
export async function openUpload(
  { uploads }: Pick<Deps, 'uploads'>,
  tenant: string,
  file: { readonly digest: string; readonly sizeBytes: number },
): Promise<OpenUpload> {
  const wish = { tenant, ...file, contentType: 'application/pdf' };
  return uploads.open(wish, claimLimits.uploadTtlMs);
}
