import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { App } from 'aws-cdk-lib';
import type { Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';

import { stageConfig } from '../../lib/config.ts';
import type { StageName } from '../../lib/config.ts';
import { addPlatform } from '../../lib/stacks/platform.ts';
import type { Platform } from '../../lib/stacks/platform.ts';

export interface SynthesizedStage {
  readonly app: App;
  readonly templates: Readonly<Record<keyof Platform, Template>>;
}

const root = join(import.meta.dirname, '../..');
const known = new Map<string, SynthesizedStage>();

/** The templates of a stage as `cdk synth` makes them (`-c`: `given`), but for the code of the functions. */
export function synthStage(
  stage: StageName,
  given: Readonly<Record<string, string>> = {},
): SynthesizedStage {
  const name = JSON.stringify({ stage, ...given });
  const before = known.get(name);
  if (before !== undefined) return before;
  const outdir = mkdtempSync(join(tmpdir(), 'hms-synth-'));
  try {
    const app = new App({
      outdir,
      // `npm run synth` runs these rules; here they would take two seconds of each test file.
      builtinCloudFormationValidation: false,
      context: { ...cdkJson().context, ...given, stage, 'aws:cdk:bundling-stacks': [] },
    });
    const platform = addPlatform(app, stageConfig(app.node, undefined));
    const assembly = app.synth();
    const template = (stack: Stack) =>
      Template.fromJSON(assembly.getStackArtifact(stack.artifactId).template);
    const synthesized = {
      app,
      templates: {
        data: template(platform.data),
        identity: template(platform.identity),
        jobs: template(platform.jobs),
        push: template(platform.push),
        api: template(platform.api),
        events: template(platform.events),
        rollout: template(platform.rollout),
        services: template(platform.services),
        watch: template(platform.watch),
      },
    };
    known.set(name, synthesized);
    return synthesized;
  } finally {
    rmSync(outdir, { recursive: true, force: true });
  }
}

function cdkJson(): { context: Record<string, unknown> } {
  return JSON.parse(readFileSync(join(root, 'cdk.json'), 'utf8')) as ReturnType<typeof cdkJson>;
}
