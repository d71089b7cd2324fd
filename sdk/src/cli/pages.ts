import type { Api, ApiRequest } from '../api/api.ts';

export interface Page<Item> {
  readonly items: readonly Item[];
  /** The cursor of what follows; null at the end. */
  readonly next: string | null;
}

const maxPage = 200;

/** Up to `limit` items of a list, over as many of its pages as that takes. */
export async function readPages<Item>(
  api: Api,
  path: string,
  query: NonNullable<ApiRequest['query']>,
  limit: number,
  signal: AbortSignal,
): Promise<Page<Item>> {
  const items: Item[] = [];
  let next: string | null = null;
  do {
    const page: Page<Item> = await api.json<Page<Item>>({
      path,
      query: {
        ...query,
        limit: Math.min(maxPage, limit - items.length),
        cursor: next ?? undefined,
      },
      signal,
    });
    items.push(...page.items);
    next = page.next;
  } while (next !== null && items.length < limit);
  return { items, next };
}
