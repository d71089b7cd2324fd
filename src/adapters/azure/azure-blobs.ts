import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';

import { RestError } from '@azure/storage-blob';
import type { BlobDownloadResponseParsed, ContainerClient } from '@azure/storage-blob';

import { Unavailable } from '../../core/errors/app-error.ts';
import type { BlobRef, BlobStore } from '../../ports/blob-store.ts';
import { checkBlobRef, checkBlobSize } from '../runtime/blob-limits.ts';

const maxBlobBytes = 16 * 1024 * 1024;

/**
 * A `BlobStore` in one container of Azure Blob Storage: block blobs named
 * `<tenant>/<first two digits>/<digest>`. One call each.
 */
export function azureBlobs(container: ContainerClient): BlobStore {
  return {
    async put(ref, bytes) {
      checkBlobRef(ref);
      checkBlobSize(bytes);
      try {
        await container.getBlockBlobClient(nameOf(ref)).upload(bytes, bytes.byteLength, {
          conditions: { ifNoneMatch: '*' },
        });
        return 'stored';
      } catch (error) {
        if (isA(error, 'BlobAlreadyExists')) return 'present';
        throw translated(error);
      }
    },

    async get(ref) {
      checkBlobRef(ref);
      try {
        return await bytesOf(await container.getBlobClient(nameOf(ref)).download());
      } catch (error) {
        if (isA(error, 'BlobNotFound')) return undefined;
        throw translated(error);
      }
    },

    async head(ref) {
      checkBlobRef(ref);
      try {
        const { contentLength } = await container.getBlobClient(nameOf(ref)).getProperties();
        return { sizeBytes: contentLength ?? 0 };
      } catch (error) {
        if (isA(error, 'BlobNotFound')) return undefined;
        throw translated(error);
      }
    },
  };
}

async function bytesOf(found: BlobDownloadResponseParsed): Promise<Uint8Array> {
  const body = found.readableStreamBody;
  if (body === undefined) throw new Error('Azure answered without a body.');
  if ((found.contentLength ?? 0) > maxBlobBytes) {
    // Unread, it would keep the connection.
    if (body instanceof Readable) body.destroy();
    throw new Error('The container holds an object that is not a blob.');
  }
  // What breaks it off has no class of its own, and can only be the way to here.
  return buffer(body).catch((error: unknown) => {
    throw unavailable(error);
  });
}

/** https://learn.microsoft.com/rest/api/storageservices/blob-service-error-codes */
function isA(error: unknown, code: string): boolean {
  if (!(error instanceof RestError)) return false;
  if (error.code === code) return true;
  // Of an answer without a body, as every answer to HEAD is, the SDK puts the code here.
  const details: { errorCode?: unknown } = Object(error.details);
  return details.errorCode === code;
}

function translated(error: unknown): unknown {
  if (!(error instanceof RestError)) return error;
  const { statusCode, code } = error;
  const answered = statusCode !== undefined && statusCode < 500 && statusCode !== 429;
  if (answered || code === RestError.PARSE_ERROR) return error;
  return unavailable(error);
}

function unavailable(cause: unknown): Unavailable {
  return new Unavailable('The blob store did not answer. Try again.', cause);
}

function nameOf({ tenant, digest }: BlobRef): string {
  return `${tenant}/${digest.slice(0, 2)}/${digest}`;
}
