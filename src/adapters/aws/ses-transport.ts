import { SendEmailCommand, SESv2ServiceException } from '@aws-sdk/client-sesv2';
import type { SESv2Client } from '@aws-sdk/client-sesv2';

import { Unavailable } from '../../core/errors/app-error.ts';
import type { Attempt, PartnerTransport } from '../../ports/partner-transport.ts';
import { attemptTimeoutMs, failed } from '../runtime/attempt-failed.ts';
import { noticeMail } from '../runtime/notice-mail.ts';
import { awsError } from './aws-error.ts';

export interface SesTransportOptions {
  readonly client: SESv2Client;
  /** An address, or one of a domain, that SES has verified. */
  readonly from: string;
}

/**
 * Notices as mail by SES: the text, and the JSON attached. SES makes up a `Message-ID` of its own:
 * a repeat is known by `X-Hms-Notice`. Delivered means that SES took it.
 */
export function sesTransport({ client, from }: SesTransportOptions): PartnerTransport {
  return {
    async send(target, _, notice) {
      if (target.kind !== 'email') throw new TypeError(`no email: ${target.kind}`);
      const { subject, text, headers, attachment } = noticeMail(notice, from);
      const command = new SendEmailCommand({
        FromEmailAddress: from,
        Destination: { ToAddresses: [...target.to] },
        Content: {
          Simple: {
            Subject: { Data: subject, Charset: 'UTF-8' },
            Body: { Text: { Data: text, Charset: 'UTF-8' } },
            Headers: headers.map(({ name, value }) => ({ Name: name, Value: value })),
            Attachments: [
              {
                FileName: attachment.filename,
                ContentType: attachment.contentType,
                ContentDisposition: 'ATTACHMENT',
                ContentTransferEncoding: 'BASE64',
                RawContent: Buffer.from(attachment.content),
              },
            ],
          },
        },
      });
      try {
        await client.send(command, { abortSignal: AbortSignal.timeout(attemptTimeoutMs) });
        return { outcome: 'delivered', detail: 'Sent.' };
      } catch (error) {
        return refusal(error);
      }
    },
  };
}

/** Errors: what is none of SES, as it came. */
function refusal(error: unknown): Attempt {
  const isLate = error instanceof Error && error.name === 'AbortError';
  if (isLate || awsError(error, 'SES') instanceof Unavailable) return failed('SES did not answer.');
  // Such as MessageRejected: the message may quote addresses, its name does not.
  if (error instanceof SESv2ServiceException) return failed(`SES refused it (${error.name}).`);
  throw error;
}
