import { SFNClient } from '@aws-sdk/client-sfn';
import { sfnWorkflows } from '../adapters/aws/sfn-workflows.ts';
import type { WorkflowEngine } from '../ports/workflow-engine.ts';
import { awsClient, setting } from './aws-config.ts';

export function awsWorkflows(): WorkflowEngine {
  const client = new SFNClient(awsClient);
  return sfnWorkflows({ client, stateMachineArn: setting('HMS_STATE_MACHINE') });
}
