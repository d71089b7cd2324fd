import type { Channel } from '../../../src/core/policies/channel.ts';

/** One package of a policy; its version names it. */
export interface ModelRule {
  readonly version: string;
  readonly effectiveMs: number | null;
}

/** One word of somebody about a lane: from when on which rule. The last word wins. */
interface Decision {
  readonly atMs: number;
  readonly rule: ModelRule;
  /** `atMs` or earlier: at once. */
  readonly fromMs: number;
  /** To go back forgets the way, to go on does not. */
  readonly back: boolean;
  activated: boolean;
}

export interface ModelEntry {
  readonly id: string;
  readonly channel: Channel;
  readonly action: string;
  readonly version: string;
  readonly gen: number;
  readonly atMs: number;
}

/** What a call should answer: an error, or what it did. */
export type Outcome =
  | string
  | {
      readonly status: string;
      readonly version: string;
      readonly gen: number;
      readonly effectiveMs: number | null;
    };

const remembered = 11;

/** One policy in one channel: a list of decisions, and scans of it. */
class ModelLane {
  readonly decisions: Decision[] = [];
  gen = 0;

  /** By what was decided until `knownMs`. A rule in force at the time of a decision that waits stays so. */
  inForce(atMs: number, knownMs: number): ModelRule | null {
    const latestMs = Math.min(atMs, knownMs);
    return this.#scan(
      this.decisions.filter((decision) => decision.atMs <= latestMs),
      atMs,
    );
  }

  #scan(decisions: readonly Decision[], atMs: number): ModelRule | null {
    const last = decisions.at(-1);
    if (last === undefined) return null;
    if (last.fromMs <= atMs) return last.rule;
    return this.#scan(decisions.slice(0, -1), last.atMs);
  }

  waiting(nowMs: number): Decision | undefined {
    const last = this.decisions.at(-1);
    return last !== undefined && last.fromMs > nowMs ? last : undefined;
  }

  /** The rules in force one after the other, as far as one can go back. The last is in force now. */
  way(nowMs: number): ModelRule[] {
    const way: ModelRule[] = [];
    const enter = (rule: ModelRule): void => {
      if (way.at(-1) !== rule) way.push(rule);
      if (way.length > remembered) way.shift();
    };
    this.decisions.forEach(({ rule, fromMs, atMs, back }, i) => {
      const supersededMs = this.decisions[i + 1]?.atMs ?? nowMs;
      if (back) {
        const place = way.lastIndexOf(rule);
        way.splice(place === -1 ? Math.max(0, way.length - 1) : place);
        way.push(rule);
      } else if (fromMs <= atMs || fromMs <= supersededMs) {
        enter(rule);
      }
    });
    return way;
  }
}

/** A tenant's policies, as simply as they can be told. */
export class TimeTravelModel {
  readonly entries: ModelEntry[] = [];
  readonly #lanes = new Map<string, ModelLane>();
  readonly #stored = new Set<string>();
  nowMs: number;

  constructor(nowMs: number) {
    this.nowMs = nowMs;
  }

  lane(id: string, channel: Channel): ModelLane {
    const name = `${id}#${channel}`;
    const lane = this.#lanes.get(name) ?? new ModelLane();
    this.#lanes.set(name, lane);
    return lane;
  }

  store(id: string, rule: ModelRule): string {
    const name = `${id} ${rule.version}`;
    if (this.#stored.has(name)) return 'unchanged';
    this.#stored.add(name);
    return 'stored';
  }

  publish(id: string, channel: Channel, rule: ModelRule): Outcome {
    const lane = this.lane(id, channel);
    if (lane.decisions.at(-1)?.rule === rule) return this.#unchanged(lane);
    this.#stored.add(`${id} ${rule.version}`);
    return this.#decide(id, channel, 'published', 'stored', rule, rule.effectiveMs, false);
  }

  promote(id: string, from: Channel, to: Channel): Outcome {
    const source = this.lane(id, from).decisions.at(-1);
    if (source === undefined) return 'not_found';
    const lane = this.lane(id, to);
    if (lane.decisions.at(-1)?.rule === source.rule) return this.#unchanged(lane);
    return this.#decide(id, to, 'promoted', 'promoted', source.rule, source.fromMs, false);
  }

  rollback(id: string, channel: Channel, named: ModelRule | null): Outcome {
    const lane = this.lane(id, channel);
    if (lane.decisions.length === 0) return 'not_found';
    const way = lane.way(this.nowMs);
    const waiting = lane.waiting(this.nowMs);
    const target = named ?? way.at(waiting === undefined ? -2 : -1);
    if (target === undefined) return 'nothing_to_roll_back_to';
    if (!this.#stored.has(`${id} ${target.version}`)) return 'not_found';
    if ((target.effectiveMs ?? 0) > this.nowMs) return 'not_yet_effective';
    if (waiting === undefined && way.at(-1) === target) return this.#unchanged(lane);
    return this.#decide(id, channel, 'rolledback', 'rolledback', target, null, true);
  }

  /** How many rules took effect since. */
  activate(): number {
    const due = [...this.#lanes].flatMap(([name, lane]) => {
      const last = lane.decisions.at(-1);
      const waited = last !== undefined && !last.activated && last.fromMs > last.atMs;
      return waited && last.fromMs <= this.nowMs ? [{ name, lane, last }] : [];
    });
    const order = (a: (typeof due)[number], b: (typeof due)[number]): number =>
      a.last.fromMs - b.last.fromMs || (a.name < b.name ? -1 : 1);
    for (const { name, lane, last } of due.sort(order)) {
      const [id = '', channel] = name.split('#');
      last.activated = true;
      this.#journal(id, channel as Channel, 'activated', last.rule, lane);
    }
    return due.length;
  }

  #decide(
    id: string,
    channel: Channel,
    action: string,
    status: string,
    rule: ModelRule,
    effectiveMs: number | null,
    back: boolean,
  ): Outcome {
    const lane = this.lane(id, channel);
    const fromMs = effectiveMs ?? this.nowMs;
    lane.decisions.push({ atMs: this.nowMs, rule, fromMs, back, activated: false });
    this.#journal(id, channel, action, rule, lane);
    return this.#outcome(status, lane);
  }

  #journal(id: string, channel: Channel, action: string, rule: ModelRule, lane: ModelLane): void {
    lane.gen += 1;
    const { version } = rule;
    const atMs = this.nowMs;
    this.entries.push({ id, channel, action: `policy.${action}`, version, gen: lane.gen, atMs });
  }

  #unchanged(lane: ModelLane): Outcome {
    return this.#outcome('unchanged', lane);
  }

  #outcome(status: string, lane: ModelLane): Outcome {
    const effectiveMs = lane.waiting(this.nowMs)?.fromMs ?? null;
    return {
      status,
      version: lane.decisions.at(-1)?.rule.version ?? '',
      gen: lane.gen,
      effectiveMs,
    };
  }

  lanes(): { id: string; channel: Channel; lane: ModelLane }[] {
    return [...this.#lanes].flatMap(([name, lane]) => {
      const [id = '', channel] = name.split('#');
      return lane.decisions.length === 0 ? [] : [{ id, channel: channel as Channel, lane }];
    });
  }

  /** Policies that anything was ever stored of. */
  policies(): string[] {
    return [...new Set([...this.#stored].map((name) => name.split(' ')[0] ?? ''))].toSorted();
  }
}
