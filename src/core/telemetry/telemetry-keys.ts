import type { KeyOf } from '../records.ts';
import { sha256Hex } from '../packages/digest.ts';
import type { Lane } from '../policies/channel-record.ts';
import type { AlertRecord, AlertTally } from './alert-record.ts';
import type { ServiceRecord } from './service-record.ts';

/** The alerts about a lane: one record for each fingerprint, and the tally. */
export function alertsPartition({ tenant, id, channel }: Lane): string {
  return `${tenant}#alerts#${id}#${channel}`;
}

export function alertKey(lane: Lane, fingerprint: string): KeyOf<AlertRecord> {
  return { partition: alertsPartition(lane), sort: hashOf(fingerprint) };
}

/** `~` sorts after every hash. */
export function alertTallyKey(lane: Lane): KeyOf<AlertTally> {
  return { partition: alertsPartition(lane), sort: '~tally' };
}

/** What services told of a lane: one record for each. */
export function servicesPartition({ tenant, id, channel }: Lane): string {
  return `${tenant}#receipts#${id}#${channel}`;
}

/** Hashes put services in an order that has to do with nothing: the first 20 000 are a sample. */
export function serviceKey(lane: Lane, service: string): KeyOf<ServiceRecord> {
  return { partition: servicesPartition(lane), sort: hashOf(service) };
}

/** Of any text: keys forbid control characters, and have a length. */
function hashOf(text: string): string {
  return sha256Hex(new TextEncoder().encode(text));
}
