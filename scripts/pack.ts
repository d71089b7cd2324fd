import { readFile } from 'node:fs/promises';
import { AppError } from '../src/core/errors/app-error.ts';
import { packPolicy } from '../src/core/packages/pack-policy.ts';
import { parseRule } from '../src/core/packages/parse-rule.ts';

// Writes the package of a YAML rule to standard output: `npm run pack rule.yaml > rule.zip`.
try {
  const file = process.argv[2];
  if (file === undefined) throw new Error('Name a YAML file: npm run pack rule.yaml > rule.zip');
  const yaml = await readFile(file);
  parseRule(yaml);
  process.stdout.write(packPolicy(yaml));
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  if (error instanceof AppError) {
    for (const { pointer, detail } of error.details) console.error(`  ${pointer} ${detail}`);
  }
  process.exitCode = 1;
}
