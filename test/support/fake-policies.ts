import { createHash } from 'node:crypto';
import type { Manifest, ManifestItem } from '../../sdk/src/wire/manifest.ts';
import type { NewReceipts } from '../../sdk/src/wire/receipt.ts';

/** A request, as the service gets it. */
export interface PolicyCall {
  /** Method, path and query. */
  readonly name: string;
  readonly headers: Headers;
  readonly body: string;
  readonly signal: AbortSignal;
}

/** What is answered in place of the truth; undefined for the truth. */
type Lie = (call: PolicyCall) => Response | undefined | Promise<Response | undefined>;

interface OpenStream {
  readonly lastEventId: string | null;
  readonly send: (text: string) => void;
  readonly end: () => void;
}

type Item = { -readonly [K in keyof ManifestItem]: ManifestItem[K] };

/**
 * What the SDK sees of the service, in this process: a `fetch` that answers as the service does, and
 * lies where a test says so.
 */
export class FakePolicies {
  readonly baseUrl: string = 'http://hms.test';
  readonly calls: PolicyCall[] = [];
  readonly streams = new Set<OpenStream>();
  readonly reports: NewReceipts[] = [];
  readonly items = new Map<string, Item>();
  /** The rules that were ever published, by path. */
  readonly bodies = new Map<string, Uint8Array>();
  lie: Lie = () => undefined;
  /** Raised with every change: the tag of the manifest, and the position of streams. */
  index = 0;
  pageLength = Infinity;

  readonly fetch: typeof fetch = async (input, init) => {
    const { pathname, search } = new URL(input instanceof Request ? input.url : input);
    const call: PolicyCall = {
      name: `${init?.method ?? 'GET'} ${pathname}${search}`,
      headers: new Headers(init?.headers),
      body: typeof init?.body === 'string' ? init.body : '',
      signal: init?.signal ?? new AbortController().signal,
    };
    this.calls.push(call);
    call.signal.throwIfAborted();
    const answer = (await this.lie(call)) ?? this.answer(call);
    call.signal.throwIfAborted();
    return answer;
  };

  count(start: string): number {
    return this.calls.filter(({ name }) => name.startsWith(start)).length;
  }

  get polls(): number {
    return this.count('GET /api/manifest');
  }

  /** In force at once, or from a time on. Answers the snapshot. */
  publish(id: string, fields: object, effectiveAt?: Date): string {
    const { gen = 0, snapshot: current = null } = this.items.get(id) ?? {};
    const version = `${gen + 1}.0.0`;
    const bytes = new TextEncoder().encode(JSON.stringify({ id, version, ...fields }));
    const hex = createHash('sha256').update(bytes).digest('hex');
    const snapshot = `v2026-11-20-1758-${hex.slice(0, 8)}`;
    this.bodies.set(bodyPath(id, snapshot), bytes);
    const rule = { snapshot, version, bodyDigest: `sha256:${hex}` };
    if (effectiveAt === undefined) {
      const etag = `"${snapshot}"`;
      this.put({ id, gen: gen + 1, etag, ...rule, next: null, canary: null });
    } else {
      const before = this.items.get(id);
      this.put({
        id,
        gen: gen + 1,
        etag: current === null ? null : `"${current}"`,
        snapshot: current,
        version: before?.version ?? null,
        bodyDigest: before?.bodyDigest ?? null,
        next: { ...rule, effectiveAt: effectiveAt.toISOString() },
        canary: null,
      });
    }
    return snapshot;
  }

  put(item: ManifestItem): void {
    this.index += 1;
    this.items.set(item.id, item);
  }

  /** Tells every open stream of the last change of a policy, or of what is given. */
  push(id: string, change: object = {}): void {
    const { gen = 0, snapshot = null } = this.items.get(id) ?? {};
    const data = JSON.stringify({ id, channel: 'prod', gen, snapshot, ...change });
    for (const { send } of this.streams) send(`id: ${this.index}\ndata: ${data}\n\n`);
  }

  answer(call: PolicyCall): Response {
    const { name, headers, body } = call;
    if (name.startsWith('GET /api/manifest')) return this.manifest(headers, name);
    if (name.startsWith('GET /api/stream/policies')) return this.#stream(call);
    if (name === 'POST /api/receipts') {
      const report = JSON.parse(body) as NewReceipts;
      this.reports.push(report);
      const receipts = report.receipts.map(() => ({ status: 'recorded' }));
      return Response.json({ receipts });
    }
    const bytes = this.bodies.get(name.replace('GET ', ''));
    if (bytes === undefined) return problem(404, 'not_found');
    return new Response(bytes as Uint8Array<ArrayBuffer>, {
      headers: { 'content-type': 'application/json' },
    });
  }

  manifest(headers: Headers, name: string): Response {
    const etag = `"prod-${this.index}"`;
    if (headers.get('if-none-match') === etag) {
      return new Response(null, { status: 304, headers: { etag } });
    }
    const cursor = Number(new URLSearchParams(name.split('?')[1]).get('cursor') ?? 0);
    const end = cursor + this.pageLength;
    const all = [...this.items.values()];
    const page: Manifest = {
      channel: 'prod',
      items: all.slice(cursor, end),
      next: end < all.length ? String(end) : null,
    };
    return Response.json(page, { headers: { etag } });
  }

  #stream({ headers, signal }: PolicyCall): Response {
    const encoder = new TextEncoder();
    const streams = this.streams;
    const position = this.index;
    let stream: OpenStream;
    const body = new ReadableStream<Uint8Array>({
      start(controller) {
        stream = {
          lastEventId: headers.get('last-event-id'),
          send: (text) => controller.enqueue(encoder.encode(text)),
          end() {
            streams.delete(stream);
            controller.close();
          },
        };
        streams.add(stream);
        signal.addEventListener('abort', () => {
          if (streams.delete(stream)) controller.error(signal.reason);
        });
        stream.send(`retry: 1000\nid: ${position}\n: connected\n\n`);
      },
      cancel: () => void streams.delete(stream),
    });
    return new Response(body, { headers: { 'content-type': 'text/event-stream' } });
  }
}

/** Where the rule of a snapshot is read. */
export function bodyPath(id: string, snapshot: string): string {
  return `/api/policies/${id}/snapshots/${snapshot}`;
}

/** A refusal, as the service words it. */
export function problem(
  status: number,
  code: string,
  headers: Readonly<Record<string, string>> = {},
): Response {
  const body = { type: `urn:hms:problem:${code}`, title: code, status, code, requestId: 'r-1' };
  return Response.json({ ...body, detail: `It is ${code}.` }, { status, headers });
}
