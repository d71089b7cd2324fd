import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { AppError } from '../src/core/errors/app-error.ts';
import { packFiles } from '../src/core/packages/pack-policy.ts';
import { packageLimits } from '../src/core/packages/package-limits.ts';
import { readPackage } from '../src/core/packages/read-package.ts';

const usage = 'Name a rule, or a folder with policy.yaml: npm run pack rule.yaml > rule.zip';

// Writes the package of a YAML rule, or of a folder, to standard output.
try {
  const path = process.argv[2];
  if (path === undefined) throw new Error(usage);
  const isFolder = (await stat(path)).isDirectory();
  const packed = packFiles(
    isFolder ? await filesIn(path) : { 'policy.yaml': await readFile(path) },
  );
  await readPackage(packed);
  process.stdout.write(packed);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  if (error instanceof AppError) {
    for (const { pointer, detail } of error.details) console.error(`  ${pointer} ${detail}`);
  }
  process.exitCode = 1;
}

/** What a package may hold, by its path there. */
async function filesIn(folder: string): Promise<Record<string, Uint8Array>> {
  const names = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = names.filter((entry) => entry.isFile());
  const { maxEntries } = packageLimits;
  if (files.length > maxEntries) throw new Error(`A package has at most ${maxEntries} files.`);
  const read = await Promise.all(
    files.map(async ({ name, parentPath }): Promise<[string, Uint8Array]> => {
      const path = join(parentPath, name);
      const inPackage = path.slice(join(folder, '/').length).replaceAll('\\', '/');
      return [inPackage, await readFile(path)];
    }),
  );
  return Object.fromEntries(read);
}
