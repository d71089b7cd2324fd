import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { App } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';

import { stageConfig } from '../../lib/config.ts';
import type { StageName } from '../../lib/config.ts';
import { contextOf, serviceSpec } from '../../lib/service-spec.ts';
import type { ServiceSpec } from '../../lib/service-spec.ts';
import { addService } from '../../lib/stacks/service-stack.ts';

const root = join(import.meta.dirname, '../..');

const someService: ServiceSpec = {
  name: 'payment-ledger',
  tenant: 'demo',
  folder: join(root, 'sdk/template'),
  timeoutMs: 15_000,
  hmsUrl: 'https://hms.example/v1',
  tokenUrl: 'https://login.example/oauth2/token',
  alarmTopicArn: 'arn:aws:sns:us-east-1:000000000000:alarms',
};

/** The stack of a service as `hms deploy --aws` makes it, but for its code. */
export function synthService(
  stage: StageName,
  given: Partial<ServiceSpec> = {},
): { readonly app: App; readonly template: Template; readonly stackName: string } {
  const { context } = JSON.parse(readFileSync(join(root, 'cdk.json'), 'utf8')) as {
    readonly context: Readonly<Record<string, unknown>>;
  };
  const outdir = mkdtempSync(join(tmpdir(), 'hms-synth-'));
  try {
    const app = new App({
      outdir,
      builtinCloudFormationValidation: false,
      context: {
        ...context,
        ...contextOf({ ...someService, ...given }),
        stage,
        'aws:cdk:bundling-stacks': [],
      },
    });
    const stack = addService(app, stageConfig(app.node, undefined), serviceSpec(app.node));
    const { stackName, template } = app.synth().getStackArtifact(stack.artifactId);
    return { app, template: Template.fromJSON(template), stackName };
  } finally {
    rmSync(outdir, { recursive: true, force: true });
  }
}
