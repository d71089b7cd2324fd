import { localHms, requireDone } from './local-hms.ts';
import { readService } from './read-service.ts';
import { stopProcess } from './service-process.ts';

/** Takes a service out of the registry and ends its process; either may be gone already. */
export async function stopService(target: string): Promise<string> {
  const { name } = await readService(target);
  const hms = await localHms();
  // First, so that no call is sent to what is about to end.
  const answer = await hms.call('DELETE', `/services/${name}`);
  const wasRegistered = answer.status !== 404;
  if (wasRegistered) requireDone(answer, `Taking ${name} out of the registry`);
  const outcome = await stopProcess(name);
  return `${name}: ${outcome}, and ${wasRegistered ? 'no longer' : 'not'} registered.`;
}
