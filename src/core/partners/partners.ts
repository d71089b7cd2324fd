import type { Deps } from '../deps.ts';
import { Conflict, InvalidRequest, NotFound } from '../errors/app-error.ts';
import { commit, type Decision } from '../journal/commit.ts';
import type { Origin } from '../journal/journal-entry.ts';
import type { Page } from '../policies/list-policies.ts';
import { getRecord, queryRecords } from '../records.ts';
import { checkPartner, partnerNamePattern } from './check-partner.ts';
import type { Partner, PartnerTarget } from './partner.ts';
import { partnerKey, partnerSecret, partnersPartition } from './partner-keys.ts';

export interface NewPartner {
  readonly target: PartnerTarget;
  /** Only of a partner that has none yet, or whose secret changes. */
  readonly secret?: string | undefined;
}

export interface PutPartner {
  readonly status: 'created' | 'changed' | 'unchanged';
  readonly partner: Partner;
}

type PartnerDeps = Pick<Deps, 'records' | 'clock' | 'ids' | 'signal' | 'secrets'>;

const maxPartners = 500;

/**
 * Adds a partner, or changes where it is told. The secret is stored first: a call that failed may
 * have changed it, and is repeated. The journal has where the partner is told, and of the secret
 * only that it changed.
 * Errors: `InvalidRequest`; `Conflict` beyond 500 partners.
 */
export async function putPartner(
  deps: PartnerDeps,
  origin: Origin,
  name: string,
  { target, secret }: NewPartner,
): Promise<PutPartner> {
  checkPartner(name, target, secret);
  const { tenant } = origin;
  const held = await getRecord(deps, partnerKey(tenant, name));
  requireSecret(held?.value.target, target, secret);
  if (held === undefined) await requireRoom(deps, tenant);
  if (secret !== undefined) await deps.secrets.put(partnerSecret(tenant, name), secret);
  const put = await commit(deps, origin, () => decidePut(deps, origin, name, { target, secret }));
  if (target.kind === 'email') await deps.secrets.delete(partnerSecret(tenant, name));
  return put;
}

/** A secret goes where it was meant for: another host, or another way to be told, needs it anew. */
function requireSecret(
  before: PartnerTarget | undefined,
  target: PartnerTarget,
  secret: string | undefined,
): void {
  if (secret !== undefined || target.kind === 'email') return;
  if (target.kind === 'webhook' && before?.kind === 'webhook') return;
  if (target.kind === 'sftp' && before?.kind === 'sftp' && isSameHost(before, target)) return;
  const detail =
    target.kind === 'webhook'
      ? 'is missing: whsec_ and the base64 of 24 to 64 random bytes'
      : 'is missing: the password or the private key for this host';
  throw new InvalidRequest('The partner needs a secret.', [{ pointer: '/secret', detail }]);
}

type SftpTarget = Extract<PartnerTarget, { kind: 'sftp' }>;

function isSameHost(a: SftpTarget, b: SftpTarget): boolean {
  return (
    a.host === b.host && a.port === b.port && a.username === b.username && a.hostKey === b.hostKey
  );
}

async function requireRoom(deps: PartnerDeps, tenant: string): Promise<void> {
  const partition = partnersPartition(tenant);
  const found = await deps.records.query({ partition, limit: maxPartners });
  if (found.length === maxPartners) {
    throw new Conflict(`There are ${maxPartners} partners, the most there can be: delete one.`);
  }
}

async function decidePut(
  deps: PartnerDeps,
  { tenant, actor }: Origin,
  name: string,
  { target, secret }: NewPartner,
): Promise<Decision<PutPartner>> {
  const held = await getRecord(deps, partnerKey(tenant, name));
  const before = held?.value;
  // Somebody may have changed it since: the secret that is there may not be meant for this target.
  requireSecret(before?.target, target, secret);
  if (before !== undefined && secret === undefined && isSame(before.target, target)) {
    return { kind: 'unchanged', result: { status: 'unchanged', partner: before } };
  }
  const after = (at: string): Partner => ({
    name,
    target,
    createdAt: before?.createdAt ?? at,
    createdBy: before?.createdBy ?? actor,
    changedAt: at,
  });
  return {
    kind: 'change',
    entry: {
      action: 'partner.put',
      subject: `partner:${name}`,
      before: before === undefined ? null : { target: before.target },
      after: { target, secretChanged: secret !== undefined },
      reason: null,
    },
    writes: ({ at }) => [
      {
        kind: 'put',
        key: partnerKey(tenant, name),
        value: after(at),
        expect: held?.rev ?? 'absent',
      },
    ],
    result: ({ at }) => ({
      status: before === undefined ? 'created' : 'changed',
      partner: after(at),
    }),
  };
}

function isSame(a: PartnerTarget, b: PartnerTarget): boolean {
  return sortedJson(a) === sortedJson(b);
}

function sortedJson(target: PartnerTarget): string {
  return JSON.stringify(Object.entries(target).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** Errors: `NotFound`. */
export async function getPartner(
  deps: Pick<Deps, 'records'>,
  tenant: string,
  name: string,
): Promise<Partner> {
  const found = partnerNamePattern.test(name)
    ? await getRecord(deps, partnerKey(tenant, name))
    : undefined;
  if (found === undefined) throw noPartner();
  return found.value;
}

/** The partners of a tenant in the order of their names, after `cursor` (a name). */
export async function listPartners(
  deps: Pick<Deps, 'records'>,
  tenant: string,
  cursor: string | undefined,
  limit: number,
): Promise<Page<Partner>> {
  const found = await queryRecords<Partner>(deps, {
    partition: partnersPartition(tenant),
    after: cursor,
    limit,
  });
  const items = found.map(({ value }) => value);
  return { items, next: items.length < limit ? null : (items.at(-1)?.name ?? null) };
}

/**
 * Deletes a partner and its secret; what it has not been told yet, it will not be.
 * Errors: `NotFound`; then, too, no secret is left.
 */
export async function deletePartner(
  deps: PartnerDeps,
  origin: Origin,
  name: string,
): Promise<void> {
  if (!partnerNamePattern.test(name)) throw noPartner();
  const { tenant } = origin;
  const deleted = await commit(deps, origin, async (): Promise<Decision<boolean>> => {
    const key = partnerKey(tenant, name);
    const held = await getRecord(deps, key);
    if (held === undefined) return { kind: 'unchanged', result: false };
    return {
      kind: 'change',
      entry: {
        action: 'partner.deleted',
        subject: `partner:${name}`,
        before: { target: held.value.target },
        after: null,
        reason: null,
      },
      writes: () => [{ kind: 'delete', key, expect: held.rev }],
      result: () => true,
    };
  });
  // Also when there was none: an earlier call may not have come this far.
  await deps.secrets.delete(partnerSecret(tenant, name));
  if (!deleted) throw noPartner();
}

function noPartner(): NotFound {
  return new NotFound('There is no such partner.');
}
