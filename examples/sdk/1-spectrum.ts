import { createClient } from 'hms-svc';

// The spectrum allocation service: it decides by the rule in force, and hears of each change at once.
interface PowerRule {
  readonly limit: number;
  readonly units: string;
}

const id = 'fcc-5g-rural-power';
const { HMS_URL = 'http://127.0.0.1:8787', HMS_TOKEN = '' } = process.env;
await using policies = createClient({ baseUrl: HMS_URL, auth: () => HMS_TOKEN });
await policies.ready();

/** In a hot path: no call, no wait. Without a rule, nothing is allowed. */
function isAllowed(watts: number): boolean {
  return watts <= policies.getSync<PowerRule>(id, { limit: 0, units: 'watts_eirp' }).limit;
}

console.log(`600 W: ${isAllowed(600)}`);
policies.onChange(({ id: changed, version, previous }) => {
  if (changed !== id) return;
  console.log(`now ${version}, before ${previous ?? 'none'}; 600 W: ${isAllowed(600)}`);
});
await new Promise((resolve) => process.once('SIGTERM', resolve).once('SIGINT', resolve));
