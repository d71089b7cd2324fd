import type { Notice } from '../../ports/partner-transport.ts';

/** A notice as a mail, whatever sends it. */
export interface NoticeMail {
  /** One line of printable characters. */
  readonly subject: string;
  readonly text: string;
  /** The domain is that of the sender: by it a repeat is known. */
  readonly messageId: string;
  readonly headers: readonly { readonly name: string; readonly value: string }[];
  readonly attachment: {
    readonly filename: string;
    readonly contentType: 'application/json';
    readonly content: string;
  };
}

const maxSubjectChars = 200;

/** `from` is an address. No text of the notice can begin a header of its own. */
export function noticeMail({ id, title, text, body }: Notice, from: string): NoticeMail {
  const subject = title.replaceAll(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]+/gu, ' ');
  return {
    subject: subject.slice(0, maxSubjectChars),
    text,
    messageId: `<${id}@${from.slice(from.lastIndexOf('@') + 1)}>`,
    headers: [
      { name: 'X-Hms-Notice', value: id },
      // RFC 3834: nobody's absence note is to answer it.
      { name: 'Auto-Submitted', value: 'auto-generated' },
    ],
    attachment: { filename: `hms-${id}.json`, contentType: 'application/json', content: body },
  };
}
