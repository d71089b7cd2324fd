import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** The folder of this package: its sources and what is built of them are not equally deep in it. */
export function packageFolder(): string {
  let folder = import.meta.dirname;
  while (!existsSync(join(folder, 'package.json'))) folder = dirname(folder);
  return folder;
}
