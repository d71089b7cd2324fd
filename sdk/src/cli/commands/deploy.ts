import type { Command } from 'commander';
import { relative } from 'node:path';
import type { Cli, Does } from '../cli.ts';
import { withExamples } from '../examples.ts';
import { exitCodes } from '../exit-codes.ts';
import { Failure } from '../failure.ts';
import { findProfileSession } from '../session.ts';
import { deployOnAws } from '../services/deploy-on-aws.ts';
import { deployService } from '../services/deploy-service.ts';
import { newService } from '../services/new-service.ts';
import { stopService } from '../services/stop-service.ts';

interface Options {
  readonly stop?: true;
  readonly aws?: true;
  readonly stage?: string;
  readonly outputs?: string;
}

export function addNewService(program: Command, does: Does): void {
  const command = program
    .command('new-service')
    .summary('write a new service of your own')
    .description(
      'Writes a service into services/NAME: its code without dependencies, its test, its manifest.',
    )
    .argument('<name>', 'of the service, such as payment-ledger')
    .action(
      does(async ({ io, out }, name: string) => {
        const made = await newService(name, io.cwd);
        out.result(made, () => {
          out.line(`${made.folder} has ${made.files.join(', ')}.`);
          out.line(`Test it: node --test ${made.folder}/service.test.ts`);
          out.line(`Run it: hms-svc deploy ${name}`);
        });
      }),
    );
  withExamples(command, 'hms-svc new-service payment-ledger');
}

export function addDeploy(program: Command, does: Does): void {
  const command = program
    .command('deploy')
    .summary('run a service of your own behind the gateway')
    .description(
      'Runs a service on this machine, and registers it with the server of this machine; or on AWS,\n' +
        'by a checkout of the platform, for one that is deployed there. Done when calls reach it.',
    )
    .argument('<service>', 'its name, for services/NAME; or its folder')
    .option('--stop', 'end it, and take it out of the registry')
    .option('--aws', 'on AWS, with the credentials of your shell')
    .option('--stage <stage>', 'on AWS: as the platform was deployed; dev unless given')
    .option('--outputs <file>', 'on AWS: what cdk deploy --all --outputs-file wrote')
    .action(
      does(async (cli, target: string, options: Options) => {
        const { profile } = program.opts<{ readonly profile?: string }>();
        return deploy(cli, target, options, profile);
      }),
    );
  withExamples(
    command,
    'hms-svc deploy payment-ledger',
    'hms-svc deploy examples/housing/eligibility --stop',
    'hms-svc deploy payment-ledger --aws --stage prod --outputs outputs.json',
  );
}

async function deploy(cli: Cli, target: string, options: Options, profile: string | undefined) {
  const { stop, aws, stage, outputs } = options;
  if (aws === true) {
    const session = await findProfileSession(cli.io, profile);
    const named = Object.entries({ stage, outputs }).flatMap(([name, value]) =>
      value === undefined ? [] : [`--${name}`, value],
    );
    return deployOnAws(cli, session, [target, ...(stop === true ? ['--stop'] : []), ...named]);
  }
  if (stage !== undefined || outputs !== undefined) {
    throw new Failure(exitCodes.usage, '--stage and --outputs go with --aws.');
  }
  await (stop === true ? stopHere(cli, target) : deployHere(cli, target));
  return exitCodes.done;
}

async function deployHere(cli: Cli, target: string): Promise<void> {
  const { out, io } = cli;
  const deployed = await deployService(cli, target);
  out.result(deployed, () => {
    const { name, url, address, log } = deployed;
    const gateway = address.slice(0, address.indexOf(`/svc/${name}`) + `/svc/${name}`.length);
    out.line(`${name} is green: ${gateway} leads to ${url}`);
    out.line(`Its log: ${relative(io.cwd, log)}`);
    out.line('Try it:');
    out.line(`  curl -sS ${address} -H "Authorization: Bearer $(hms-svc token service)"`);
  });
}

async function stopHere(cli: Cli, target: string): Promise<void> {
  const { out } = cli;
  const stopped = await stopService(cli, target);
  out.result(stopped, () => {
    const { name, status, wasRegistered } = stopped;
    out.line(`${name}: ${status}, and ${wasRegistered ? 'no longer' : 'not'} registered.`);
  });
}
