import type { Notice } from '../../ports/partner-transport.ts';
import { digestName } from '../packages/digest.ts';
import type { NoticedPolicy, NoticeKind, NoticesRecord, PartnerDelivery } from './delivery.ts';

const verbs: Readonly<Record<NoticeKind, string>> = {
  released: 'released to',
  restored: 'in force again in',
};

/**
 * What a partner is told: a CloudEvents 1.0 event in JSON
 * (https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/formats/json-format.md), and the
 * same in words. It is made of the records alone: every attempt has the same body.
 */
export function noticeOf(
  record: NoticesRecord,
  { id }: Pick<PartnerDelivery, 'id'>,
  nowMs: number,
): Notice {
  const { tenant, run, kind, channel, policies, reason, createdAt } = record;
  const type = `policy.${kind}`;
  const body = JSON.stringify({
    specversion: '1.0',
    id,
    source: 'hms.policies',
    type,
    subject: `run:${run}`,
    time: createdAt,
    datacontenttype: 'application/json',
    data: { tenant, run, channel, reason, policies: policies.map(named) },
  });
  return {
    id,
    timestampS: Math.floor(nowMs / 1000),
    type,
    title: titleOf(record),
    text: textOf(record),
    body,
  };
}

function named({ digest, ...policy }: NoticedPolicy) {
  return { ...policy, digest: digestName(digest) };
}

function titleOf({ kind, channel, policies }: NoticesRecord): string {
  const [first] = policies;
  const what =
    policies.length === 1 && first !== undefined
      ? `${first.id}@${first.version} is`
      : `${policies.length} policies are`;
  return `${what} ${verbs[kind]} ${channel}`;
}

function textOf(record: NoticesRecord): string {
  const { tenant, run, kind, policies, reason, createdAt } = record;
  return [
    `${titleOf(record)}.`,
    '',
    ...policies.map(({ id, version, snapshot }) => `- ${id} ${version} (snapshot ${snapshot})`),
    '',
    ...(reason === null ? [] : [`Reason: ${reason}`]),
    kind === 'restored' ? `Run ${run}, of which we told you, was taken back.` : `Run ${run}.`,
    `Tenant ${tenant}, ${createdAt}.`,
    '',
  ].join('\n');
}
