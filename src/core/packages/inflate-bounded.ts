import { createInflateRaw } from 'node:zlib';

/** How inflating ended. `producedBytes` is what the decompressor made before it was stopped. */
export type Inflation =
  | { readonly outcome: 'done'; readonly bytes: Uint8Array; readonly consumedBytes: number }
  | { readonly outcome: 'too-long'; readonly producedBytes: number }
  | { readonly outcome: 'broken' };

const chunkBytes = 16 * 1024;

/**
 * Inflates a raw DEFLATE stream off the main thread. Never makes more than `maxBytes` and one
 * chunk of 16 KiB, whatever the stream says.
 */
export async function inflateBounded(packed: Uint8Array, maxBytes: number): Promise<Inflation> {
  const inflater = createInflateRaw({ chunkSize: chunkBytes });
  inflater.end(packed);
  const chunks: Buffer[] = [];
  let producedBytes = 0;
  try {
    for await (const chunk of inflater as AsyncIterable<Buffer>) {
      producedBytes += chunk.byteLength;
      if (producedBytes > maxBytes) return { outcome: 'too-long', producedBytes };
      chunks.push(chunk);
    }
  } catch {
    return { outcome: 'broken' };
  }
  const bytes = Buffer.concat(chunks, producedBytes);
  return { outcome: 'done', bytes, consumedBytes: inflater.bytesWritten };
}
