import { AwsSolutionsChecks, ServerlessChecks } from 'cdk-nag';
import type { NagPack } from 'cdk-nag';
import type { App } from 'aws-cdk-lib';

/** The rules of cdk-nag that every stage on AWS keeps, or answers beside the construct in question. */
export function rulePacks(app: App): NagPack[] {
  return [new AwsSolutionsChecks(app), new ServerlessChecks(app)];
}
