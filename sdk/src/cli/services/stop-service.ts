import type { Cli } from '../cli.ts';
import { dataFolder } from '../local-server.ts';
import { localApi } from './deploy-service.ts';
import { readService } from './read-service.ts';
import { removeService } from './registration.ts';
import { ServiceProcess } from './service-process.ts';

export interface StoppedService {
  readonly name: string;
  readonly status: 'stopped' | 'not running';
  /** Whether it had been, until now. */
  readonly wasRegistered: boolean;
}

/** Takes a service out of the registry and ends its process; either may be gone already. */
export async function stopService(cli: Cli, target: string): Promise<StoppedService> {
  const service = await readService(target, cli.io.cwd);
  const { name } = service;
  // First, so that no call is sent to what is about to end.
  const wasRegistered = await removeService(await localApi(cli), service);
  const status = await new ServiceProcess(dataFolder(cli.io), name).stop();
  return { name, status, wasRegistered };
}
