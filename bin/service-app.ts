import { App, Validations } from 'aws-cdk-lib';

import { stageConfig } from '../lib/config.ts';
import { serviceSpec } from '../lib/service-spec.ts';
import { rulePacks } from '../lib/stacks/rule-packs.ts';
import { addService } from '../lib/stacks/service-stack.ts';

// The stack of one service, for `hms deploy --aws`: that names it in the context.
const app = new App();
const config = stageConfig(app.node, process.env['AWS_ENDPOINT_URL']);
addService(app, config, serviceSpec(app.node));
if (config.emulatorUrl === null) Validations.of(app).addPlugins(...rulePacks(app));
