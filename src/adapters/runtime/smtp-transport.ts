import { createTransport } from 'nodemailer';

import type { Attempt, PartnerTransport } from '../../ports/partner-transport.ts';
import { attemptTimeoutMs, failed, failedBy, withinTime } from './attempt-failed.ts';
import { noticeMail } from './notice-mail.ts';

export interface SmtpOptions {
  readonly host: string;
  readonly port: number;
  /** TLS from the first byte; else STARTTLS, which is required where there is a password. */
  readonly secure: boolean;
  readonly user: string | undefined;
  readonly pass: string | undefined;
  /** An address. */
  readonly from: string;
  readonly timeoutMs?: number;
}

/**
 * From `smtp://[user:password@]host[:port]` (port 587 unless told), or `smtps://` (465).
 * Errors: a plain `Error` that says what is wrong, without the password.
 */
export function smtpOptions(url: string, from: string): SmtpOptions {
  const parsed = URL.parse(url);
  const secure = parsed?.protocol === 'smtps:';
  if (parsed === null || (!secure && parsed.protocol !== 'smtp:') || parsed.hostname === '') {
    throw new Error('The mail server is no URL such as smtps://user:password@mail.example.org.');
  }
  if (!/^[^\s@<>"\p{Cc}]+@[^\s@<>"\p{Cc}]+$/u.test(from)) {
    throw new Error(`"${from}" is no address to send mail from.`);
  }
  return {
    host: parsed.hostname.replace(/^\[(.*)\]$/, '$1'),
    port: parsed.port === '' ? (secure ? 465 : 587) : Number(parsed.port),
    secure,
    user: decoded(parsed.username),
    pass: decoded(parsed.password),
    from,
  };
}

function decoded(part: string): string | undefined {
  if (part === '') return undefined;
  try {
    return decodeURIComponent(part);
  } catch {
    throw new Error('The user or password in the URL of the mail server is not percent-encoded.');
  }
}

/**
 * Notices as mail by SMTP: the text, and the JSON attached. `Message-ID` is made of the notice's id,
 * so that a repeat is known. Delivered means that the mail server took it for one address at least.
 */
export function smtpTransport(options: SmtpOptions): PartnerTransport {
  const { host, port, secure, user, pass, from, timeoutMs = attemptTimeoutMs } = options;
  const mailer = createTransport({
    host,
    port,
    secure,
    requireTLS: !secure && user !== undefined,
    ...(user === undefined ? {} : { auth: { user, pass: pass ?? '' } }),
    connectionTimeout: timeoutMs,
    greetingTimeout: timeoutMs,
    socketTimeout: timeoutMs,
    dnsTimeout: timeoutMs,
    // A notice is never a path or a URL to attach.
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  return {
    async send(target, _, notice) {
      if (target.kind !== 'email') throw new TypeError(`no email: ${target.kind}`);
      const { subject, text, messageId, headers, attachment } = noticeMail(notice, from);
      const to = [...target.to];
      const late = failed('The mail server did not take it in time.');
      return await withinTime(
        timeoutMs,
        () => late,
        async () => {
          try {
            const { rejected } = await mailer.sendMail({
              from: { name: '', address: from },
              to: to.map((address) => ({ name: '', address })),
              envelope: { from, to },
              subject,
              text,
              messageId,
              headers: headers.map(({ name, value }) => ({ key: name, value })),
              attachments: [{ ...attachment }],
            });
            return delivered(to.length, rejected.length);
          } catch (error) {
            return refusal(error);
          }
        },
      );
    },
  };
}

function delivered(all: number, rejected: number): Attempt {
  const detail = rejected === 0 ? 'Sent.' : `Sent to ${all - rejected} of ${all} addresses.`;
  return { outcome: 'delivered', detail };
}

/** By its codes alone: what the server says may quote anything. */
function refusal(error: unknown): Attempt {
  const code = error instanceof Error && 'responseCode' in error ? error.responseCode : undefined;
  if (typeof code === 'number') return failed(`The mail server refused it (SMTP ${code}).`);
  return failedBy('The mail server did not take it', error);
}
