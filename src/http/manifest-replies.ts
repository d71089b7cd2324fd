import { LRUCache } from 'lru-cache';
import type { Deps } from '../core/deps.ts';
import type { Reader } from '../core/policies/canary.ts';
import type { Channel } from '../core/policies/channel.ts';
import { listChannel, manifestTag } from '../core/policies/list-policies.ts';
import { encodeCursor } from './cursor.ts';
import { ifNoneMatchNames } from './etag.ts';
import { manifestItemView } from './policy-views.ts';
import type { Reply } from './reply.ts';

/** A page of a channel's manifest, and who asks for it. */
export interface ManifestQuestion {
  readonly tenant: string;
  readonly channel: Channel;
  readonly reader: Reader;
  /** The id of the policy after which it begins; undefined for the first page. */
  readonly cursor: string | undefined;
  readonly limit: number;
}

export interface ManifestReplies {
  /**
   * `304` without a body when the caller has it: one record read, or two with a body that others
   * were given before. Errors: `Unavailable`, see `listChannel`.
   */
  reply(question: ManifestQuestion, ifNoneMatch: string | undefined): Promise<Reply>;
  /** The same for a reader whose tag is known, from memory alone; null when it is not there. */
  atHand(question: ManifestQuestion, tag: string, ifNoneMatch: string | undefined): Reply | null;
}

/** The manifest of 10 000 policies has 2.2 MB. */
const maxBytes = 16 * 1024 * 1024;
const overheadBytes = 500;

const common = {
  'cache-control': 'private, no-cache',
  vary: 'Authorization, X-Channel, X-Subject, X-Region',
  // The app adds it to every reply; here it is for those that leave before the app.
  'x-content-type-options': 'nosniff',
};

/**
 * Answers with the manifest of a channel, which is made once for all who are given the same: a
 * change wakes every client of a channel, and all of them ask at the same moment.
 */
export function manifestReplies(deps: Pick<Deps, 'records' | 'clock'>): ManifestReplies {
  // By its tag, which differs whenever the manifest does, for whatever reason.
  const kept = new LRUCache<string, Reply>({ maxSize: maxBytes });
  const underWay = new Map<string, Promise<Reply>>();

  async function make(question: ManifestQuestion): Promise<Reply> {
    const { tenant, channel, reader, cursor, limit } = question;
    const page = await listChannel(deps, tenant, channel, reader, cursor, limit);
    const items = page.items.map(manifestItemView);
    const json = JSON.stringify({ channel, items, next: encodeCursor(page.next) });
    // Once for all: of a text, each answer would be made bytes again.
    const body = new TextEncoder().encode(json);
    const headers = { ...headersOf(channel, page.tag), 'content-type': 'application/json' };
    const reply = { status: 200, headers, body };
    const key = keyOf(question, page.tag);
    kept.set(key, reply, { size: overheadBytes + key.length + body.byteLength });
    return reply;
  }

  /** Who asks while it is being made gets the same: it is no older than what it was asked for. */
  async function makeOnce(question: ManifestQuestion, key: string): Promise<Reply> {
    const known = underWay.get(key);
    if (known !== undefined) return known;
    const making = make(question);
    underWay.set(key, making);
    try {
      return await making;
    } finally {
      underWay.delete(key);
    }
  }

  return {
    async reply(question, ifNoneMatch) {
      const { tenant, channel, reader } = question;
      if (ifNoneMatch !== undefined) {
        const seen = await manifestTag(deps, tenant, channel, reader, 'eventual');
        if (isNamed(ifNoneMatch, channel, seen)) return notModified(channel, seen);
      }
      const tag = await manifestTag(deps, tenant, channel, reader, 'strong');
      const key = keyOf(question, tag);
      return kept.get(key) ?? makeOnce(question, key);
    },
    atHand(question, tag, ifNoneMatch) {
      const { channel } = question;
      if (ifNoneMatch !== undefined && isNamed(ifNoneMatch, channel, tag)) {
        return notModified(channel, tag);
      }
      return kept.get(keyOf(question, tag)) ?? null;
    },
  };
}

function keyOf({ tenant, channel, cursor = '', limit }: ManifestQuestion, tag: string): string {
  return `${tenant}\n${channel}\n${cursor}\n${limit}\n${tag}`;
}

function isNamed(ifNoneMatch: string, channel: Channel, tag: string): boolean {
  return ifNoneMatchNames(ifNoneMatch, `${channel}-${tag}`);
}

function notModified(channel: Channel, tag: string): Reply {
  return { status: 304, headers: headersOf(channel, tag), body: null };
}

function headersOf(channel: Channel, tag: string): Reply['headers'] {
  return { etag: `"${channel}-${tag}"`, ...common };
}
