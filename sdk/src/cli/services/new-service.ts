import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { exitCodes } from '../exit-codes.ts';
import { Failure } from '../failure.ts';
import { packageFolder } from '../package-folder.ts';
import { requireServiceName } from './read-service.ts';

/** What the template calls itself, wherever its own name has to stand. */
const templateName = 'new-service';

export interface NewService {
  readonly name: string;
  /** From the folder that it was asked for in. */
  readonly folder: string;
  readonly files: readonly string[];
}

/**
 * Writes a service of that name into `services/NAME` of a folder. Errors: `Failure` for a name that is
 * none, or a folder that is there already.
 */
export async function newService(name: string, cwd: string): Promise<NewService> {
  requireServiceName(name);
  const template = join(packageFolder(), 'template');
  const files = await readdir(template);
  const texts = await Promise.all(files.map((file) => readFile(join(template, file), 'utf8')));
  const folder = join('services', name);
  await mkdir(join(cwd, 'services'), { recursive: true });
  await mkdir(join(cwd, folder)).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code !== 'EEXIST') throw cause;
    const next = ['Take another name, or remove it first'];
    throw new Failure(exitCodes.refused, `${folder} is there already.`, next, { cause });
  });
  for (const [place, file] of files.entries()) {
    const text = texts[place]?.replaceAll(templateName, name) ?? '';
    await writeFile(join(cwd, folder, file), text, { flag: 'wx' });
  }
  return { name, folder, files };
}
