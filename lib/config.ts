import { RemovalPolicy } from 'aws-cdk-lib';
import { RetentionDays } from 'aws-cdk-lib/aws-logs';
import type { Node } from 'constructs';

import type { Role } from '../src/core/identity/scopes.ts';

export type StageName = 'dev' | 'prod' | 'emulator';

/** API Gateway's name for its stage, and so the first segment of every path. */
export const apiVersion = 'v1';

/** A caller that takes tokens with its own secret (`client_credentials`). */
export interface MachineClient {
  /** Unique in the stage: `demo-editor`. */
  readonly name: string;
  readonly tenant: string;
  readonly role: Role;
}

/** All in which one stage differs from another. Nothing in it belongs to an account or a region. */
export interface StageConfig {
  readonly stage: StageName;
  /** What becomes of table, bucket, users and keys when their stack is deleted. */
  readonly removalPolicy: RemovalPolicy;
  /** A deletion by mistake is refused by the service itself. */
  readonly deletionProtection: boolean;
  readonly logRetention: RetentionDays;
  readonly logLevel: 'debug' | 'info' | 'warn';
  /** Events stay replayable for so long. */
  readonly archiveDays: number;
  /** Who is told of alarms; `null`: subscribe to the topic later. */
  readonly alarmEmail: string | null;
  /** Who mail to partners is from: an address, or one of a domain, that SES has verified; `null`: no mail. */
  readonly mailFrom: string | null;
  /** Private networks (CIDR) in which partners may be told, besides the public internet. */
  readonly allowedTargets: readonly string[];
  /** Over all callers. */
  readonly throttle: { readonly requestsPerS: number; readonly burst: number };
  /** Of one address, in five minutes; `null`: no web application firewall. */
  readonly firewall: { readonly requestsPer5Min: number } | null;
  readonly stream: {
    /** How long one stream lives before its client reconnects. */
    readonly maxS: number;
    /** Streams at once, over all callers; `null`: as many as the account can run. */
    readonly maxOpen: number | null;
  };
  readonly clients: readonly MachineClient[];
  /** Where the emulator listens; `null`: this is AWS. */
  readonly emulatorUrl: string | null;
}

const dev: StageConfig = {
  stage: 'dev',
  removalPolicy: RemovalPolicy.DESTROY,
  deletionProtection: false,
  logRetention: RetentionDays.TWO_WEEKS,
  logLevel: 'info',
  archiveDays: 7,
  alarmEmail: null,
  mailFrom: null,
  allowedTargets: [],
  throttle: { requestsPerS: 200, burst: 400 },
  firewall: { requestsPer5Min: 30_000 },
  // API Gateway ends a stream after 15 minutes: ours ends first, between two messages.
  stream: { maxS: 840, maxOpen: null },
  clients: [
    ...(['admin', 'editor', 'approver', 'auditor', 'service'] as const).map((role) =>
      client('demo', role),
    ),
    client('other', 'service'),
  ],
  emulatorUrl: null,
};

const prod: StageConfig = {
  ...dev,
  stage: 'prod',
  removalPolicy: RemovalPolicy.RETAIN,
  deletionProtection: true,
  logRetention: RetentionDays.ONE_YEAR,
  archiveDays: 90,
  throttle: { requestsPerS: 5000, burst: 5000 },
  // A whole agency may come from one address.
  firewall: { requestsPer5Min: 300_000 },
  // Each open stream occupies a Lambda: without a bound, streams could take the account's
  // concurrency away from the reads and writes.
  stream: { maxS: 840, maxOpen: 300 },
};

const emulator: StageConfig = {
  ...dev,
  stage: 'emulator',
  firewall: null,
  // Nobody verifies addresses there.
  mailFrom: 'rules@hms.example',
  // Partners in tests listen on this machine.
  allowedTargets: ['127.0.0.0/8'],
  // Its API answers in one piece, so a stream is seen when it ends.
  stream: { maxS: 4, maxOpen: null },
  emulatorUrl: 'http://127.0.0.1:4566',
};

const stages: Readonly<Record<StageName, StageConfig>> = { dev, prod, emulator };

/**
 * The stage that the context names: `-c stage=prod` (`dev` unless named), or `-c emulator=true`;
 * `-c alarmEmail=…` names who is told of alarms, `-c mailFrom=…` who partners get mail from.
 * `endpointUrl`: where the emulator listens, if not at its default.
 */
export function stageConfig(context: Node, endpointUrl: string | undefined): StageConfig {
  const emulated = String(context.tryGetContext('emulator')) === 'true';
  const name: unknown = emulated ? 'emulator' : (context.tryGetContext('stage') ?? 'dev');
  if (!isStageName(name)) {
    const known = Object.keys(stages).join(', ');
    throw new Error(`no stage is named ${JSON.stringify(name)}; -c stage= takes ${known}`);
  }
  const config = stages[name];
  return {
    ...config,
    alarmEmail: address(context, 'alarmEmail') ?? config.alarmEmail,
    mailFrom: address(context, 'mailFrom') ?? config.mailFrom,
    emulatorUrl: config.emulatorUrl === null ? null : (endpointUrl ?? config.emulatorUrl),
  };
}

function address(context: Node, name: 'alarmEmail' | 'mailFrom'): string | null {
  const given: unknown = context.tryGetContext(name);
  if (given === undefined || given === null) return null;
  if (typeof given === 'string' && /^[^\s@<>"]+@[\w.-]+$/.test(given)) return given;
  throw new Error(`-c ${name}= takes one mail address, such as rules@agency.example`);
}

function isStageName(name: unknown): name is StageName {
  return typeof name === 'string' && Object.hasOwn(stages, name);
}

function client(tenant: string, role: Role): MachineClient {
  return { name: `${tenant}-${role}`, tenant, role };
}
