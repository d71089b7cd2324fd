import { Aspects } from 'aws-cdk-lib';
import type { App } from 'aws-cdk-lib';

import type { StageConfig } from '../config.ts';
import { EmulatorFit } from '../constructs/emulator-fit.ts';
import { ApiStack } from './api-stack.ts';
import { DataStack } from './data-stack.ts';
import { EventsStack } from './events-stack.ts';
import { IdentityStack } from './identity-stack.ts';
import { JobsStack } from './jobs-stack.ts';
import { PushStack } from './push-stack.ts';
import { RolloutStack } from './rollout-stack.ts';
import { ServicesStack } from './services-stack.ts';
import { WatchStack } from './watch-stack.ts';

export interface Platform {
  readonly data: DataStack;
  readonly identity: IdentityStack;
  readonly jobs: JobsStack;
  readonly push: PushStack;
  readonly api: ApiStack;
  readonly events: EventsStack;
  readonly rollout: RolloutStack;
  readonly services: ServicesStack;
  readonly watch: WatchStack;
}

/** One whole stage: each stack knows only those before it. */
export function addPlatform(app: App, config: StageConfig): Platform {
  const name = (part: string) => `hms-${config.stage}-${part}`;
  const data = new DataStack(app, name('data'), { config });
  const { store } = data;
  const identity = new IdentityStack(app, name('identity'), { config });
  const { tokens } = identity;
  const jobs = new JobsStack(app, name('jobs'), { config, store });
  const { queues } = jobs;
  const push = new PushStack(app, name('push'), { config, store });
  const pushUrl = push.gateway.url;
  const api = new ApiStack(app, name('api'), { config, store, tokens, queues, pushUrl });
  const told = { config, store, queues, push: push.push };
  const events = new EventsStack(app, name('events'), told);
  const rollout = new RolloutStack(app, name('rollout'), { config, store });
  const services = new ServicesStack(app, name('services'), { config, store });
  const watched = { data, identity, jobs, push, api, events, rollout, services };
  const watch = new WatchStack(app, name('watch'), { config, ...watched });
  if (config.emulatorUrl !== null) Aspects.of(app).add(new EmulatorFit());
  return { ...watched, watch };
}
