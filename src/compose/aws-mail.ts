import { SESv2Client } from '@aws-sdk/client-sesv2';
import { sesTransport } from '../adapters/aws/ses-transport.ts';
import type { PartnerTransport } from '../ports/partner-transport.ts';
import { awsClient } from './aws-config.ts';

export function awsMail(from: string): PartnerTransport {
  return sesTransport({ client: new SESv2Client(awsClient), from });
}
