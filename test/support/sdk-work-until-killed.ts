import { writeSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { defineWorker } from '../../sdk/src/jobs/define-worker.ts';
import { runWorker } from '../../sdk/src/jobs/run-worker.ts';

// A worker in a process of its own, for the service at a URL with a token: prints each job as it begins.
const [baseUrl = '', token = '', type = ''] = process.argv.slice(2);
runWorker({
  workers: [
    defineWorker({
      type,
      async handler({ job }) {
        writeSync(1, `${job.id}\n`);
        await delay(40);
        return 'by the other process';
      },
    }),
  ],
  connection: { baseUrl, auth: () => token },
  concurrency: 4,
  leaseSeconds: 5,
});
