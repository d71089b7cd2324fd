import { App, Validations } from 'aws-cdk-lib';

import { stageConfig } from '../lib/config.ts';
import { addPlatform } from '../lib/stacks/platform.ts';
import { rulePacks } from '../lib/stacks/rule-packs.ts';

const app = new App();
const config = stageConfig(app.node, process.env['AWS_ENDPOINT_URL']);
addPlatform(app, config);
// What is taken out for the emulator is what these rules ask for.
if (config.emulatorUrl === null) Validations.of(app).addPlugins(...rulePacks(app));
