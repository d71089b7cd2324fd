import type { Command } from 'commander';
import { writeFile } from 'node:fs/promises';
import { pathOf } from '../arguments.ts';
import type { Cli, Does } from '../cli.ts';
import { withExamples } from '../examples.ts';
import { exitCodes } from '../exit-codes.ts';
import { Failure } from '../failure.ts';
import { packed } from '../trust/package-files.ts';
import { digestOf } from '../trust/verify-package.ts';

export function addPack(program: Command, does: Does): void {
  const command = program
    .command('pack')
    .summary('make the package of a rule, and send it nowhere')
    .description(
      'Makes the package of a rule: the same bytes for the same files, whoever makes it, and wherever.',
    )
    .argument('<path>', 'a YAML rule, or a folder with policy.yaml')
    .option('--out <file>', 'where to write it; standard output unless given')
    .action(does(pack));
  withExamples(
    command,
    'hms-svc pack examples/epa-pm25/2.0.0 --out rule.zip',
    'hms-svc pack examples/fcc-5g-rural/policy.yaml > rule.zip',
  );
}

async function pack({ io, out }: Cli, path: string, { out: file }: { readonly out?: string }) {
  const { id, version, bytes } = await packed(pathOf({ io }, path));
  if (file === undefined) {
    if (io.stdout.isTTY === true || out.isJson) {
      throw new Failure(exitCodes.usage, 'A package is no text: name a file with --out.');
    }
    io.stdout.write(bytes);
    return;
  }
  await writeFile(pathOf({ io }, file), bytes);
  const shown = { id, version, digest: digestOf(bytes), sizeBytes: bytes.byteLength, file };
  out.result(shown, () => out.line(`${file}: ${id}@${version}, ${shown.digest}`));
}
