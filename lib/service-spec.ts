import type { Node } from 'constructs';

import type { StageConfig } from './config.ts';

/** A service of somebody's own that `hms deploy --aws` runs, in a stack of its own. */
export interface ServiceSpec {
  readonly name: string;
  /** Who it is registered by. */
  readonly tenant: string;
  /** Absolute: with `service.ts` in it. */
  readonly folder: string;
  /** Of one call, as its manifest has it. */
  readonly timeoutMs: number;
  /** Where HMS is, for its own calls. */
  readonly hmsUrl: string;
  readonly tokenUrl: string;
  /** Where its alarms go; null: to a topic of its own. */
  readonly alarmTopicArn: string | null;
}

/** As the context of CDK (`-c name=value`) has it. */
export function contextOf(spec: ServiceSpec): Record<string, string> {
  const { alarmTopicArn, timeoutMs, ...texts } = spec;
  return {
    ...texts,
    timeoutMs: String(timeoutMs),
    ...(alarmTopicArn === null ? {} : { alarmTopicArn }),
  };
}

/** Reads back what `contextOf` made. Errors: one that names what is missing. */
export function serviceSpec(context: Node): ServiceSpec {
  const given = (name: keyof ServiceSpec): string | null => {
    const value: unknown = context.tryGetContext(name);
    return typeof value === 'string' && value !== '' ? value : null;
  };
  const text = (name: keyof ServiceSpec): string => {
    const value = given(name);
    if (value === null) throw new Error(`-c ${name}= is missing: use hms deploy --aws`);
    return value;
  };
  return {
    name: text('name'),
    tenant: text('tenant'),
    folder: text('folder'),
    timeoutMs: Number(text('timeoutMs')),
    hmsUrl: text('hmsUrl'),
    tokenUrl: text('tokenUrl'),
    alarmTopicArn: given('alarmTopicArn'),
  };
}

/** Its stack's name: two tenants may each have a service of the same name. */
export function serviceStackName(
  { stage }: Pick<StageConfig, 'stage'>,
  { tenant, name }: Pick<ServiceSpec, 'tenant' | 'name'>,
): string {
  // CloudFormation takes letters, digits and hyphens.
  return `hms-${stage}-service-${tenant.replaceAll(/[^a-z0-9]/g, '-')}-${name}`;
}
