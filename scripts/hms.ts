import { deployService } from './hms/deploy-service.ts';
import { newService } from './hms/new-service.ts';
import { stopService } from './hms/stop-service.ts';

const usage = `npm run --silent hms -- new-service NAME       writes a service into services/NAME
npm run --silent hms -- deploy NAME            runs it here, and registers it
npm run --silent hms -- deploy FOLDER          the same for a service that is elsewhere
npm run --silent hms -- deploy NAME --stop     ends it, and takes it out of the registry`;

// New services, and services of this machine registered with the local server (`npm start`).
try {
  console.log(await run(process.argv.slice(2)));
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}

async function run([command, target, ...rest]: readonly string[]): Promise<string> {
  if (command === undefined || command === '--help' || command === 'help') return usage;
  if (target !== undefined && !target.startsWith('-')) {
    if (command === 'new-service' && rest.length === 0) return newService(target);
    if (command === 'deploy' && rest.length === 0) return deployService(target);
    if (command === 'deploy' && rest.join(' ') === '--stop') return stopService(target);
  }
  throw new Error(`Not understood. There is:\n${usage}`);
}
