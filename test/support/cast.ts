import { decodeJwt } from 'jose';
import { afterAll, beforeAll } from 'vitest';
import { changeOperations } from '../../src/contract/operations/change-operations.ts';
import { queryOperations } from '../../src/contract/operations/query-operations.ts';
import { ruleOperations } from '../../src/contract/operations/rule-operations.ts';
import { ruleYaml } from './policy-documents.ts';
import type { Service, StartService } from './service.ts';
import { clientFor, type ServiceClient } from './service-client.ts';

/** A service, and those who call it. */
export interface Cast {
  readonly service: Service;
  readonly editor: ServiceClient;
  /** Whom the journal names for what the editor does. */
  readonly editorName: string;
  /** `demo-service`, which reads. */
  readonly reader: ServiceClient;
  readonly auditor: ServiceClient;
  /** `other-service`: it reads, in another tenant. */
  readonly stranger: ServiceClient;
}

/** For a suite: there from before its first test until after its last. */
export function useCast(start: StartService): Cast {
  const cast = {} as { -readonly [Name in keyof Cast]: Cast[Name] };
  beforeAll(async () => {
    cast.service = await start();
    cast.editor = await clientFor(cast.service, 'demo-editor');
    cast.editorName = String(decodeJwt(await cast.service.token('demo-editor'))['client_id']);
    cast.reader = await clientFor(cast.service, 'demo-service');
    cast.auditor = await clientFor(cast.service, 'demo-auditor');
    cast.stranger = await clientFor(cast.service, 'other-service');
  });
  afterAll(() => cast.service.close());
  return cast;
}

/** Publishes a bare rule with these fields; to `prod` unless told. */
export function publishRule(
  client: ServiceClient,
  id: string,
  fields: Readonly<Record<string, unknown>> = {},
  headers: Readonly<Record<string, string>> = {},
) {
  return client.call(changeOperations.publishPolicy, {
    params: { id },
    headers: { 'x-channel': 'prod', ...headers },
    bytes: ruleYaml(id, fields),
    contentType: 'application/yaml',
  });
}

export function readRule(
  client: ServiceClient,
  id: string,
  query: Readonly<Record<string, string>> = {},
  headers: Readonly<Record<string, string>> = {},
) {
  return client.call(ruleOperations.getPolicy, { params: { id }, query, headers });
}

/** Every journal entry about a policy, oldest first. */
export async function journalOf(client: ServiceClient, id: string) {
  const { body } = await client.call(queryOperations.getAudit, {
    query: { subject: id, limit: 200 },
  });
  if (body.next !== null) throw new Error(`the journal of ${id} is longer than a page`);
  return body.items;
}
