import { type Command, InvalidArgumentError } from 'commander';
import { stat } from 'node:fs/promises';
import { pathOf } from '../arguments.ts';
import type { Cli, Does } from '../cli.ts';
import { withExamples } from '../examples.ts';
import { exitCodes } from '../exit-codes.ts';
import { Failure } from '../failure.ts';
import { fetchPackage, snapshotIn } from '../fetch-package.ts';
import { readBytes } from '../json-argument.ts';
import { channelOption, gathered, wholeNumber } from '../options.ts';
import { path } from '../paths.ts';
import { parseSnapshotName } from '../snapshot-name.ts';
import { readKeyRing, type RingKey } from '../trust/key-ring.ts';
import { keyIdOf, parsePublicKey } from '../trust/keys.ts';
import { type OpenPackage, openPackage, openZip } from '../trust/package-files.ts';
import { type Check, digestOf, verifyPackage } from '../trust/verify-package.ts';

interface Options {
  readonly key?: readonly string[];
  readonly quorum: number;
  readonly digest?: string;
  readonly channel?: string;
}

interface Subject {
  readonly given: OpenPackage;
  /** Null for a file. */
  readonly snapshot: string | null;
  readonly digest: string | undefined;
}

export function addVerify(program: Command, does: Does): void {
  const command = program
    .command('verify')
    .summary('check a package: its bytes, its files, its signatures')
    .description(
      'Checks a package that you have, or one of the service: that it is byte for byte what it should\n' +
        'be, that its files are those that were signed, and that enough of the keys you trust signed it.\n' +
        'Trusted are the keys of --key, else all that are known here (hms-svc keys list).',
    )
    .argument('<package>', 'a ZIP or a folder; or ID for what is in force; or ID@SNAPSHOT')
    .option(
      '--key <files>',
      'public keys (PEM) that count, and no others; commas between',
      gathered,
    )
    .option('--quorum <count>', 'so many keys must have signed', wholeNumber(1, 64), 1)
    .option('--digest <digest>', 'sha256: and 64 hex digits that it must have', digest)
    .addOption(channelOption('with an ID: in force where; prod unless given'))
    .action(does(verify));
  withExamples(
    command,
    'hms-svc verify signed.zip --key epa-chief.pem',
    'hms-svc verify epa-pm25-limit',
    'hms-svc verify epa-pm25-limit@2.0.0 --quorum 2',
  );
}

function digest(text: string): string {
  if (/^sha256:[0-9a-f]{64}$/.test(text)) return text;
  throw new InvalidArgumentError('sha256: and 64 hex digits.');
}

async function verify(cli: Cli, target: string, options: Options) {
  const subject = await subjectOf(cli, target, options);
  const keys = await trustedKeys(cli, options.key);
  const { given, snapshot } = subject;
  const expected = options.digest ?? subject.digest;
  const checks = verifyPackage(given, { digest: expected, keys, quorum: options.quorum });
  const verified = checks.every(({ result }) => result !== 'failed');
  const { id, version } = given;
  const { out } = cli;
  out.result({ verified, id, version, snapshot, digest: digestOf(given.bytes), checks }, () => {
    for (const check of checks) out.line(checkLine(check, out.paint));
    const name = `${id}@${version}`;
    if (verified) out.line(out.paint(['bold', 'green'], `VERIFIED: ${name}`));
    else out.line(out.paint(['bold', 'red'], `NOT VERIFIED: do not run ${name}`));
    if (keys.length === 0) out.note('No key is known here: hms-svc keys add FILE, or --key FILE');
  });
  return verified ? exitCodes.done : exitCodes.refused;
}

function checkLine({ name, result, detail }: Check, paint: Cli['out']['paint']): string {
  const colours = { passed: 'green', failed: 'red', unknown: 'yellow' } as const;
  const words = { passed: 'PASS', failed: 'FAIL', unknown: '?' } as const;
  const head = `${name} ${paint('dim', '.'.repeat(Math.max(3, 17 - name.length)))}`;
  return `• ${head} ${paint(colours[result], words[result])} (${detail})`;
}

async function subjectOf(cli: Cli, target: string, { channel }: Options): Promise<Subject> {
  const file = pathOf(cli, target);
  const isThere = await stat(file).then(
    () => true,
    () => false,
  );
  if (isThere) return { given: await openPackage(file), snapshot: null, digest: undefined };
  if (/[/\\]|\.zip$/.test(target)) {
    throw new Failure(exitCodes.usage, `There is no file ${target}.`);
  }
  const { id, snapshot: named } = parseSnapshotName(target);
  const snapshot = named ?? (await snapshotInForce(cli, id, channel));
  const fetched = await fetchPackage(cli, id, snapshot);
  const given = await openZip(fetched.bytes, target);
  return { given, snapshot: fetched.snapshot, digest: fetched.digest };
}

async function snapshotInForce(cli: Cli, id: string, channel = 'prod'): Promise<string> {
  const api = await cli.connect('service');
  const { headers } = await api.send({
    path: path`/api/policies/${id}`,
    query: { channel },
    signal: cli.io.signal,
  });
  return snapshotIn(headers);
}

async function trustedKeys(
  cli: Cli,
  files: readonly string[] | undefined,
): Promise<readonly RingKey[]> {
  if (files === undefined) return readKeyRing(cli.io);
  return Promise.all(
    files.map(async (file) => {
      const key = parsePublicKey((await readBytes(cli, file)).toString('utf8'), file);
      return { name: file, id: keyIdOf(key), key };
    }),
  );
}
