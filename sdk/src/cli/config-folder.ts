import { homedir } from 'node:os';
import { join } from 'node:path';
import type { Io } from './io.ts';

/** Where profiles and keys are: `hms-svc` in the folder for settings (XDG base directories). */
export function configFolder({ env }: Pick<Io, 'env'>): string {
  const { XDG_CONFIG_HOME: xdg, APPDATA: roaming, HOME: home } = env;
  if (xdg !== undefined && xdg !== '') return join(xdg, 'hms-svc');
  if (process.platform === 'win32' && roaming !== undefined) return join(roaming, 'hms-svc');
  return join(home === undefined || home === '' ? homedir() : home, '.config', 'hms-svc');
}
