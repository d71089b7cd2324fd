import type { Command } from 'commander';
import type { Cli, Does } from '../cli.ts';
import { withExamples } from '../examples.ts';
import { readBytes } from '../json-argument.ts';
import { writeTable } from '../table.ts';
import {
  addPublicKey,
  createKey,
  readKeyRing,
  removeKey,
  requireKey,
  type RingKey,
} from '../trust/key-ring.ts';
import { publicKeyPem } from '../trust/keys.ts';

export function addKeys(program: Command, does: Does): void {
  const keys = program
    .command('keys')
    .summary('keys of persons and offices, to sign with and to verify by')
    .description(
      'Keys of persons and offices: ours to sign with, and those of others to verify by.',
    );
  addCreate(keys, does);
  addLooks(keys, does);
  addOthers(keys, does);
}

function addCreate(keys: Command, does: Does): void {
  const creating = keys
    .command('create')
    .summary('make a key to sign with')
    .description('Makes an Ed25519 key of a person or an office, kept here for this user alone.')
    .requiredOption('--name <name>', 'whose it is, such as "EPA Chief"')
    .action(
      does(async (cli, { name }: { readonly name: string }) => {
        tellKey(cli, await createKey(cli.io, name), 'is made');
      }),
    );
  withExamples(creating, 'hms-svc keys create --name "EPA Chief"');
}

function addLooks(keys: Command, does: Does): void {
  const listing = keys
    .command('list')
    .summary('list keys')
    .description('Lists the keys that are known here.')
    .action(does(list));
  withExamples(listing, 'hms-svc keys list');
  const showing = keys
    .command('show')
    .summary('show a key')
    .description('Shows the id of a key, and its public part.')
    .argument('<name>', 'its name, or its id')
    .action(does(show));
  withExamples(showing, 'hms-svc keys show "EPA Chief"');
  const exporting = keys
    .command('export')
    .summary('write the public key, for those who verify')
    .description('Writes the public key (SPKI, PEM), for those who verify.')
    .argument('<name>', 'its name, or its id')
    .action(
      does(async (cli, name: string) => {
        const { key, id } = await requireKey(cli.io, name);
        const pem = publicKeyPem(key);
        cli.out.result({ name, id, publicKey: pem }, () => cli.out.line(pem.trimEnd()));
      }),
    );
  withExamples(exporting, 'hms-svc keys export "EPA Chief" > epa-chief.pem');
}

function addOthers(keys: Command, does: Does): void {
  const adding = keys
    .command('add')
    .summary('know the public key of somebody else')
    .description(
      'Keeps the public key of somebody else: from then on, their signatures count here.',
    )
    .argument('<file>', 'the public key (SPKI, PEM); - for standard input')
    .requiredOption('--name <name>', 'whose it is')
    .action(
      does(async (cli, file: string, { name }: { readonly name: string }) => {
        const pem = (await readBytes(cli, file)).toString('utf8');
        tellKey(cli, await addPublicKey(cli.io, name, pem), 'is known');
      }),
    );
  withExamples(adding, 'hms-svc keys add ncr-director.pem --name "NCR Director"');
  const removing = keys
    .command('remove')
    .summary('forget a key')
    .description('Forgets a key. A private key that is forgotten is gone.')
    .argument('<name>', 'its name, or its id')
    .action(
      does(async (cli, name: string) => {
        const key = await requireKey(cli.io, name);
        await removeKey(cli.io, key);
        tellKey(cli, key, 'is forgotten');
      }),
    );
  withExamples(removing, 'hms-svc keys remove "NCR Director"');
}

function tellKey({ out }: Cli, key: RingKey, what: string): void {
  out.result(shown(key), () => out.line(`The key of "${key.name}" ${what}: ${key.id}`));
}

function shown({ name, id, key }: RingKey) {
  const type = key.asymmetricKeyType === 'ec' ? 'p-256' : 'ed25519';
  return { name, id, type, ours: key.type === 'private' };
}

async function list({ io, out }: Cli) {
  const items = (await readKeyRing(io)).map(shown);
  out.result({ items }, () => {
    const rows = items.map(({ name, ours, type, id }) => [name, ours ? 'ours' : 'known', type, id]);
    const none = 'There is no key yet: hms-svc keys create --name "EPA Chief"';
    writeTable(out, ['NAME', '', 'TYPE', 'ID'], rows, none);
  });
}

async function show({ io, out }: Cli, name: string) {
  const found = await requireKey(io, name);
  const publicKey = publicKeyPem(found.key);
  out.result({ ...shown(found), publicKey }, () => {
    const { id, type, ours } = shown(found);
    out.line(`${out.paint('bold', found.name)}  ${type}, ${ours ? 'ours to sign with' : 'known'}`);
    out.line(id);
    out.line(publicKey.trimEnd());
  });
}
