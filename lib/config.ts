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

/** How often somebody may call: so many a second on the average, and so many at once. */
export interface RateLimit {
  readonly perSecond: number;
  readonly burst: number;
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
  /** Private networks (CIDR) that partners and services may be in, besides the public internet. */
  readonly allowedTargets: readonly string[];
  /** Over all callers. */
  readonly throttle: { readonly requestsPerS: number; readonly burst: number };
  /** Of one tenant, and of one client of it; approximate, since many functions count together. */
  readonly limits: { readonly tenant: RateLimit; readonly client: RateLimit };
  /** Of one address, in five minutes; `null`: no web application firewall. */
  readonly firewall: { readonly requestsPer5Min: number } | null;
  readonly stream: {
    /** How long one stream lives before its client reconnects. */
    readonly maxS: number;
    /** Streams at once, over all callers; `null`: as many as the account can run. */
    readonly maxOpen: number | null;
  };
  readonly jobs: {
    /** Over how many journals the jobs of a tenant are spread: 1 to 16. Fixed: jobs are found by it. */
    readonly journals: number;
    /**
     * Worker functions at once, of each type of job, by the priority that they serve: 2 to 1000. Each
     * works on ten jobs, and the jobs of one tenant meet at its journals, which take some 100 writes
     * a second each: more functions would wait for each other there.
     */
    readonly workerConcurrency: Readonly<Record<'high' | 'normal' | 'low', number>>;
    /** What becomes of an action while no governance rules are in force. */
    readonly governanceDefault: 'allow' | 'deny';
  };
  /**
   * Of each service that `hms deploy --aws` runs: functions at once, which are also set aside. Anybody
   * on the internet may call its address, if only to be refused: without a bound, they could take the
   * account's concurrency away from all others. `null`: none, for an account that has none to spare.
   */
  readonly serviceConcurrency: number | null;
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
  limits: { tenant: { perSecond: 100, burst: 200 }, client: { perSecond: 50, burst: 100 } },
  firewall: { requestsPer5Min: 30_000 },
  // API Gateway ends a stream after 15 minutes: ours ends first, between two messages.
  stream: { maxS: 840, maxOpen: null },
  jobs: {
    journals: 16,
    workerConcurrency: { high: 8, normal: 4, low: 2 },
    governanceDefault: 'allow',
  },
  serviceConcurrency: null,
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
  // A fifth of what all have together: no tenant takes the place of the others.
  limits: { tenant: { perSecond: 1000, burst: 2000 }, client: { perSecond: 500, burst: 1000 } },
  // A whole agency may come from one address.
  firewall: { requestsPer5Min: 300_000 },
  // Each open stream occupies a Lambda: without a bound, streams could take the account's
  // concurrency away from the reads and writes.
  stream: { maxS: 840, maxOpen: 300 },
  serviceConcurrency: 50,
  jobs: { ...dev.jobs, workerConcurrency: { high: 16, normal: 8, low: 4 } },
};

const emulator: StageConfig = {
  ...dev,
  stage: 'emulator',
  firewall: null,
  // All tests come as the same few clients.
  limits: prod.limits,
  // Nobody verifies addresses there.
  mailFrom: 'rules@hms.example',
  // Partners and services in tests listen on this machine.
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
