import { createTransport } from 'nodemailer';

export interface Receipt {
  /** Of the event that it is for: a repeat has the same `Message-ID`. */
  readonly eventId: string;
  readonly email: string;
  readonly limit: number;
}

/** Resolves when the mail server has taken it. Errors: whatever it says. */
export type MailReceipt = (receipt: Receipt) => Promise<void>;

const timeoutMs = 8000;

/** Receipts through the mail server at `smtp://…` or `smtps://…`. */
export function receiptMailer(url: string, from: string): MailReceipt {
  const { protocol, hostname, port, username, password } = new URL(url);
  const secure = protocol === 'smtps:';
  const mailer = createTransport({
    host: hostname,
    port: Number(port || (secure ? 465 : 587)),
    secure,
    requireTLS: !secure && username !== '',
    ...(username === ''
      ? {}
      : { auth: { user: decodeURIComponent(username), pass: decodeURIComponent(password) } }),
    connectionTimeout: timeoutMs,
    greetingTimeout: timeoutMs,
    socketTimeout: timeoutMs,
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  return async ({ eventId, email, limit }) => {
    await mailer.sendMail({
      from,
      to: email,
      subject: 'We have your application for a housing voucher',
      text: `Your application is in. The income limit that applies is ${limit} dollars a year.\n`,
      messageId: `<${encodeURIComponent(eventId)}@receipts.hms>`,
    });
  };
}
