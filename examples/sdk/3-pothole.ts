import { connect, enqueue, JobRejectedError } from 'hms-svc';

// Ravi reports a pothole, and his page says thanks at once. Somebody else reports the same one.
const report = async (lon: number) =>
  enqueue<{ readonly case: string }>({
    type: 'pothole.report',
    data: { lat: 38.5012, lon, description: 'Deep hole in the right lane' },
  });

const job = await report(-98.2004);
console.log(`thanks, ${job.id}`);
for await (const step of job.progress()) console.log(step.action);
const { case: id } = await job.done();
const found = await connect().json<{ urgency: string; reasons: string[] }>({
  path: `/cases/${id}`,
});
console.log(`${id} is of ${found.urgency} urgency: ${found.reasons.join('; ')}`);

try {
  await (await report(-98.20017)).done();
} catch (error) {
  if (!(error instanceof JobRejectedError)) throw error;
  console.log(`the other one, by ${error.validator}: ${error.reason}`);
}
