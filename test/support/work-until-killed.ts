import { randomInt } from 'node:crypto';
import { writeSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

/**
 * A worker outside, with nothing of ours but HTTP: `<base URL> <token> <type>`. It leases up to five
 * jobs at a time, takes up to 40 ms over each, and completes it with a result and an event that name
 * the job's data. It prints the data of each job whose completion was acknowledged. While nobody
 * answers, it asks again. It must be killed.
 */
const [baseUrl = '', token = '', type = ''] = process.argv.slice(2);
const retryMs = 50;

writeSync(1, 'ready\n');
for (;;) {
  const wish = { types: [type], limit: 5, leaseSeconds: 5, waitSeconds: 2 };
  const { jobs } = JSON.parse(await post('/jobs/lease', wish)) as { jobs: Leased[] };
  await Promise.all(jobs.map(workOn));
}

interface Leased {
  readonly id: string;
  readonly lease: string;
  readonly attempt: number;
  readonly data: number;
}

async function workOn({ id, lease, attempt, data }: Leased): Promise<void> {
  await delay(randomInt(40));
  const result = { note: data, attempt, worker: process.pid };
  const events = [{ type: 'note.written', subject: `NOTE-${data}`, data: result }];
  const answer = await post(`/jobs/${id}/complete`, { lease, result, events });
  if (answer.includes('"lease_lost"')) return;
  writeSync(1, `${data}\n`);
}

/** The text of the answer; any but `lease_lost` that is no success ends this process. */
async function post(path: string, body: object): Promise<string> {
  for (;;) {
    try {
      const response = await fetch(baseUrl + path, {
        method: 'POST',
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        body: JSON.stringify(body),
      });
      const text = await response.text();
      if (response.ok || text.includes('"lease_lost"')) return text;
      if (response.status !== 503) throw new Error(`${path}: ${response.status} ${text}`);
    } catch (error) {
      // Nobody there, or nobody any more.
      if (!(error instanceof TypeError)) throw error;
    }
    await delay(retryMs);
  }
}
