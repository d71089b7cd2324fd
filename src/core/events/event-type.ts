import { eventTypePattern, manifestLimits } from '../registry/check-manifest.ts';

/** What we tell by ourselves: nobody publishes it, and it is not sent to services. */
const reserved = /^(?:job|policy|run|delivery|service)\./;

/** Whether a type belongs to those who publish and subscribe. */
export function isOpenType(type: string): boolean {
  return !reserved.test(type);
}

/** Why nobody can publish an event of this type, put as what it must be; null for no reason. */
export function typeProblem(type: string): string | null {
  const { maxEventTypeChars } = manifestLimits;
  if (type.length > maxEventTypeChars || !eventTypePattern.test(type)) {
    return `must be at most ${maxEventTypeChars} of a-z 0-9 with . _ or - between, such as voucher-submitted`;
  }
  if (isOpenType(type)) return null;
  return 'must not begin with job. policy. run. delivery. or service.: those are our own events';
}
