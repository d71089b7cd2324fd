import type { Api, ApiAnswer } from '../api/api.ts';
import { BadAnswerError } from '../api/errors.ts';
import type { ManifestItem } from '../wire/manifest.ts';
import { readManifest } from './read-manifest.ts';

/** Whose manifest, and of what. */
export interface ManifestTerms {
  readonly channel: string;
  readonly subject: string | undefined;
  readonly region: string | undefined;
}

export interface WholeManifest {
  readonly etag: string | null;
  readonly items: readonly ManifestItem[];
}

const timeoutMs = 10_000;
const maxPages = 10;
/** How often it is read anew because it changed between two pages. */
const maxReads = 3;

/**
 * The manifest of a channel, all of one moment; `unchanged` when it is still the one with the `known`
 * tag. One request, and one more for each further 10 000 policies.
 * Errors: `BadAnswerError` when it is no manifest, or changes faster than it can be read; else as of
 * `send`. Nothing is tried twice: who polls comes again.
 */
export async function fetchManifest(
  api: Pick<Api, 'send'>,
  terms: ManifestTerms,
  known: string | null,
  signal: AbortSignal,
): Promise<WholeManifest | 'unchanged'> {
  for (let reads = 0; reads < maxReads; reads++) {
    const first = await fetchPage(api, terms, signal, { known });
    if (first.status === 304) return 'unchanged';
    const whole = await withFurtherPages(api, terms, first, signal);
    if (whole !== undefined) return whole;
  }
  throw new BadAnswerError('The manifest changes faster than it can be read.');
}

/** Undefined when it changed in between. */
async function withFurtherPages(
  api: Pick<Api, 'send'>,
  terms: ManifestTerms,
  first: ApiAnswer,
  signal: AbortSignal,
): Promise<WholeManifest | undefined> {
  const etag = first.headers.get('etag');
  const items: ManifestItem[] = [];
  let answer = first;
  for (let pages = 1; pages <= maxPages; pages++) {
    const page = readManifest(answer.bytes, terms.channel);
    for (const item of page.items) items.push(item);
    if (page.next === null) return { etag, items: distinct(items) };
    answer = await fetchPage(api, terms, signal, { cursor: page.next });
    if (answer.headers.get('etag') !== etag) return undefined;
  }
  throw new BadAnswerError(`The manifest has more than ${maxPages} pages.`);
}

async function fetchPage(
  api: Pick<Api, 'send'>,
  { channel, subject, region }: ManifestTerms,
  signal: AbortSignal,
  { known, cursor }: { readonly known?: string | null; readonly cursor?: string },
): Promise<ApiAnswer> {
  const answer = await api.send({
    path: '/api/manifest',
    query: { channel, cursor },
    headers: {
      accept: 'application/json',
      'if-none-match': known ?? undefined,
      'x-subject': subject,
      'x-region': region,
    },
    retries: 0,
    timeoutMs,
    signal,
  });
  const wasAsked = known !== null && known !== undefined;
  if (answer.status === 200 || (answer.status === 304 && wasAsked)) return answer;
  throw new BadAnswerError(`The manifest was answered with ${answer.status}.`);
}

function distinct(items: readonly ManifestItem[]): readonly ManifestItem[] {
  const ids = new Set(items.map(({ id }) => id));
  if (ids.size === items.length) return items;
  throw new BadAnswerError('The manifest names a policy twice.');
}
