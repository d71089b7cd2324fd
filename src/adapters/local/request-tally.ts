const statusClasses = ['1xx', '2xx', '3xx', '4xx', '5xx'] as const;
const bucketsS = [
  0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
] as const;

interface Tally {
  readonly byClass: number[];
  failed: number;
  /** How many took no longer than the bucket's bound and longer than the one before. */
  readonly buckets: number[];
  sumS: number;
}

/**
 * The counters and the histogram of requests. Counted here, not by prom-client: its histogram
 * looks its labels up by text, which costs some 400 ns a request.
 */
export class RequestTally {
  readonly #tallies = new Map<string, Tally>();

  /** `ofService`: what fails is no failure of ours. */
  add(operation: string, status: number, durationMs: number, ofService = false): void {
    const tally = this.#tallies.get(operation) ?? this.#begin(operation);
    const statusClass = Math.floor(status / 100) - 1;
    // What is no HTTP status is a failure of ours.
    const index = statusClass >= 0 && statusClass < 4 ? statusClass : 4;
    tally.byClass[index] = (tally.byClass[index] ?? 0) + 1;
    if (index === 4 && !ofService) tally.failed++;
    const durationS = Math.max(0, durationMs / 1000) || 0;
    tally.sumS += durationS;
    let bucket = 0;
    while (durationS > (bucketsS[bucket] ?? Infinity)) bucket++;
    tally.buckets[bucket] = (tally.buckets[bucket] ?? 0) + 1;
  }

  /** In the Prometheus text format 0.0.4. */
  text(): string {
    const requests: string[] = [];
    const failed: string[] = [];
    const durations: string[] = [];
    for (const [operation, tally] of this.#tallies) {
      const label = `operation="${escaped(operation)}"`;
      statusClasses.forEach((name, i) => {
        if (!tally.byClass[i]) return;
        requests.push(`hms_requests_total{${label},status_class="${name}"} ${tally.byClass[i]}`);
      });
      failed.push(`hms_requests_failed{${label}} ${tally.failed}`);
      durations.push(...histogram(label, tally));
    }
    return [
      ...head('hms_requests_total', 'counter', 'Requests answered.'),
      ...requests,
      ...head(
        'hms_requests_failed',
        'counter',
        'Requests answered with 500 or more, but for what services behind the gateway are to blame for.',
      ),
      ...failed,
      ...head('hms_request_duration_seconds', 'histogram', 'From the request to its answer.'),
      ...durations,
      '',
    ].join('\n');
  }

  #begin(operation: string): Tally {
    const tally = {
      byClass: statusClasses.map(() => 0),
      failed: 0,
      buckets: [...bucketsS, Infinity].map(() => 0),
      sumS: 0,
    };
    this.#tallies.set(operation, tally);
    return tally;
  }
}

function head(name: string, type: string, help: string): string[] {
  return [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`];
}

function histogram(label: string, { buckets, sumS }: Tally): string[] {
  const name = 'hms_request_duration_seconds';
  let count = 0;
  const lines = buckets.map((inBucket, i) => {
    count += inBucket;
    return `${name}_bucket{le="${bucketsS[i] ?? '+Inf'}",${label}} ${count}`;
  });
  return [...lines, `${name}_sum{${label}} ${sumS}`, `${name}_count{${label}} ${count}`];
}

function escaped(label: string): string {
  return label.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}
