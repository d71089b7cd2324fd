import type { BusEvent } from '../../ports/event-bus.ts';
import type { JournalEntry } from '../journal/journal-entry.ts';
import type { Json } from '../values/json.ts';
import { serviceOfSubject } from './service-keys.ts';

/**
 * The event of an entry about a service; none for all others. Its type is the action. It tells how
 * the service is, and was before a change of that, and never where it is.
 */
export function serviceEventsOf(tenant: string, entry: JournalEntry): BusEvent[] {
  const service = serviceOfSubject(entry.subject);
  if (service === null) return [];
  const { index, at, actor, action } = entry;
  const isHealth = action === 'service.health';
  const health = isHealth ? entry.after : healthIn(entry.after);
  const before = isHealth ? entry.before : null;
  return [
    {
      specversion: '1.0',
      id: `${tenant}/${index}/${action}`,
      source: 'hms.services',
      type: action,
      subject: entry.subject,
      time: at,
      datacontenttype: 'application/json',
      data: { tenant, service, health, before, action, actor, index, at },
    },
  ];
}

/** Of a service that was registered or changed; null of one that was removed. */
function healthIn(after: Json): Json {
  return (after as { readonly health: Json } | null)?.health ?? null;
}
