/** `green`: all is well. `yellow`: it works, but not as it should. `red`: it gets no traffic. */
export const healthColours = ['green', 'yellow', 'red'] as const;

export type HealthColour = (typeof healthColours)[number];

/** How a target is, after its latest probes. */
export interface TargetHealth {
  readonly url: string;
  /** Whether calls go to it. A new one is down until it has answered. */
  readonly up: boolean;
  /** Unix ms since when it has been so. */
  readonly sinceMs: number;
  /** For people, of the latest probe: `answered 200`, `no answer (ECONNREFUSED)`. */
  readonly reason: string;
  /** Probes in a row that said the opposite of `up`. */
  readonly against: number;
  /** Of the latest probe that was recorded, which may not be the latest made; 0 for none. */
  readonly probedAtMs: number;
  /** How long that one took; null for none. */
  readonly tookMs: number | null;
  /** Whether it has ever been up: until then, one probe that passes is enough. */
  readonly proven: boolean;
}

/** How a service is: what `GET /health` shows, and what the gateway goes by. */
export interface ServiceHealth {
  readonly status: HealthColour;
  readonly reason: string;
  readonly sinceMs: number;
  readonly targets: readonly TargetHealth[];
}

const badness: Readonly<Record<HealthColour, number>> = { green: 0, yellow: 1, red: 2 };

/** Green, when there are none. */
export function worstOf(colours: readonly HealthColour[]): HealthColour {
  return colours.reduce((worst, each) => (badness[each] > badness[worst] ? each : worst), 'green');
}
