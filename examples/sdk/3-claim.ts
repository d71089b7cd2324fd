import { readFile } from 'node:fs/promises';
import { connect, defineWorker, runWorker, submitClaim } from 'hms-svc';

// A veteran files a claim with a PDF. Those who review it have a system of their own: this worker.
interface Review {
  readonly title: string | null;
  readonly sizeBytes: number;
}

const reviewer = defineWorker<Review>({
  type: 'claim.review',
  validators: [
    { name: 'title', check: ({ data }) => (data.title ? null : 'it says not what for') },
  ],
  async handler({ job, data, progress }) {
    const { bytes } = await connect().send({ path: `/claims/CLM-${job.number}/file` });
    await progress(50, `read ${bytes.byteLength} of ${data.sizeBytes} bytes`);
    return { decision: 'approved', reason: 'noise on 410 days' };
  },
});
const worker = runWorker({
  workers: [reviewer],
  concurrency: 2,
  onEvent: ({ kind }) => console.log(`reviewer: ${kind}`),
});

const pdf = await readFile(`${import.meta.dirname}/../claims/discharge-papers.pdf`);
const claim = await submitClaim(pdf, { title: 'Hearing' });
console.log(`filed ${claim.id}`);
const { decision, reason } = await claim.reviewed();
console.log(`${claim.id} is ${decision}: ${reason}`);
await worker.close();
