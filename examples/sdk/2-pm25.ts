import { deployPolicy, getPolicy, RunFailedError } from 'hms-svc';

// The EPA tightens the limit for PM2.5: tried on 5 % of the subjects of one region, then for everyone.
const run = await deployPolicy({
  file: `${import.meta.dirname}/../epa-pm25/2.0.0`,
  canary: { percent: 5, scope: 'region:NCR', observeSeconds: 2, allowSilent: true },
});
console.log(`run #${run.number}`);
for await (const step of run.events()) {
  if (!('stages' in step)) continue;
  const stages = step.stages?.map(({ name, status }) => `${name} ${status}`) ?? [];
  console.log(`${step.action}: ${stages.join(', ')}`);
}
try {
  const { endedAt, createdAt } = await run.done();
  console.log(`deployed in ${Date.parse(endedAt ?? '') - Date.parse(createdAt)} ms`);
} catch (error) {
  if (!(error instanceof RunFailedError)) throw error;
  console.log(error.message);
}
// All that an inspection bot needs:
console.log(`limit: ${(await getPolicy<{ limit: number }>('epa-pm25-limit')).limit}`);
