import type { Command } from 'commander';
import { writeFile } from 'node:fs/promises';
import type { ClaimPage, ClaimStatus } from '../../wire/claim.ts';
import { pathOf } from '../arguments.ts';
import type { Cli, Does } from '../cli.ts';
import { withExamples } from '../examples.ts';
import { readBytes } from '../json-argument.ts';
import { limitOption } from '../options.ts';
import { readPages } from '../pages.ts';
import { path } from '../paths.ts';
import { writeTable } from '../table.ts';

interface FileOptions {
  readonly title?: string;
  readonly kind?: string;
  readonly key?: string;
  readonly subject?: string;
}

export function addClaims(program: Command, does: Does): void {
  const claims = program
    .command('claims')
    .summary('PDFs that people review')
    .description('Claims: a PDF, on somebody’s behalf, that people review.');
  const filing = claims
    .command('file')
    .summary('file a claim')
    .description(
      'Files a claim with a PDF of at most 5 MiB. With --key, a repeat is the same claim.',
    )
    .argument('<pdf>', 'the file; - for standard input')
    .option('--title <text>', 'one line for people')
    .option('--kind <kind>', 'what is claimed')
    .option('--key <key>', 'the same again under the same key is one claim')
    .option('--subject <subject>', 'the claimant, for who may speak for others')
    .action(does(file));
  withExamples(filing, 'hms-svc claims file examples/claims/discharge-papers.pdf --title Hearing');
  const listing = claims
    .command('list')
    .summary('list claims')
    .description('Lists claims, newest first.')
    .addOption(limitOption())
    .action(does(list));
  withExamples(listing, 'hms-svc claims list');
  const getting = claims
    .command('get')
    .summary('show a claim')
    .description('Shows a claim, and what has become of it; with --file, writes its PDF.')
    .argument('<claim>', 'its id, such as CLM-4521')
    .option('--file <file>', 'write the exact file there')
    .action(does(get));
  withExamples(
    getting,
    'hms-svc claims get CLM-4521',
    'hms-svc claims get CLM-4521 --file scan.pdf',
  );
}

async function file(cli: Cli, pdf: string, { title, kind, key, subject }: FileOptions) {
  const body = await readBytes(cli, pdf);
  const api = await cli.connect('service');
  const filed = await api.json<{ readonly claim_id: string; readonly status: ClaimStatus }>({
    method: 'POST',
    path: '/claims',
    query: { title, kind },
    body,
    headers: {
      'content-type': 'application/pdf',
      'idempotency-key': key,
      'x-subject': subject,
    },
    idempotent: key !== undefined,
    signal: cli.io.signal,
  });
  cli.out.result(filed, () => {
    cli.out.line(`${filed.claim_id} is ${filed.status}: hms-svc claims get ${filed.claim_id}`);
  });
}

async function list(cli: Cli, { limit }: { readonly limit: number }) {
  const api = await cli.connect('service');
  const page = await readPages<ClaimPage>(api, '/claims', {}, limit, cli.io.signal);
  cli.out.result(page, () => {
    const rows = page.items.map((claim) => [
      claim.claim_id,
      claim.status,
      claim.claimant,
      claim.filedAt,
      claim.title ?? '',
    ]);
    writeTable(
      cli.out,
      ['CLAIM', 'STATUS', 'CLAIMANT', 'FILED', ''],
      rows,
      'There is no claim yet.',
    );
  });
}

async function get(cli: Cli, id: string, options: { readonly file?: string }) {
  const { out, io } = cli;
  const api = await cli.connect('service');
  const claim = await api.json<ClaimPage>({ path: path`/claims/${id}`, signal: io.signal });
  if (options.file !== undefined) {
    const { bytes } = await api.send({ path: path`/claims/${id}/file`, signal: io.signal });
    await writeFile(pathOf(cli, options.file), bytes);
  }
  out.result(claim, () => {
    const { status, decision, reason, claimant, filedBy, filedAt, title, job } = claim;
    out.line(`${out.paint('bold', id)}  ${status}${title === null ? '' : `  ${title}`}`);
    out.line(`Of ${claimant}, filed by ${filedBy} at ${filedAt}, job ${job}`);
    if (decision !== null) out.line(`${decision}: ${reason ?? ''}`);
    else if (reason !== null) out.line(reason);
  });
}
