import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { requireServiceName } from './read-service.ts';

const templateName = 'new-service';
const template = join(import.meta.dirname, '..', templateName);

/**
 * Writes a service of that name into `services/NAME` of the folder it is called in, and answers what
 * to do next. Errors: a name that is none, a folder that is there already.
 */
export async function newService(name: string): Promise<string> {
  requireServiceName(name);
  const files = await readdir(template);
  const texts = await Promise.all(files.map((file) => readFile(join(template, file), 'utf8')));
  const folder = join('services', name);
  await mkdir('services', { recursive: true });
  await mkdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error;
    throw new Error(`${folder} is there already. Take another name, or remove it first.`, {
      cause: error,
    });
  });
  for (const [place, file] of files.entries()) {
    const text = texts[place]?.replaceAll(templateName, name) ?? '';
    await writeFile(join(folder, file), text, { flag: 'wx' });
  }
  return `${folder} has ${files.join(', ')}.

Test it, and run it:
  node --test ${folder}/service.test.ts
  npm run --silent hms -- deploy ${name}`;
}
