import type { Deps } from '../../../src/core/deps.ts';
import { roleScopes } from '../../../src/core/identity/scopes.ts';
import { recordsPart } from '../../../src/core/registry/own-parts.ts';
import { createApp } from '../../../src/http/app.ts';
import { changeRoutes } from '../../../src/http/handlers/change-handlers.ts';
import { namedRuleRoutes } from '../../../src/http/handlers/named-rule-handlers.ts';
import { ruleRoutes } from '../../../src/http/handlers/rule-handlers.ts';
import { serviceRoutes } from '../../../src/http/handlers/service-handlers.ts';
import { ruleYaml } from '../../support/policy-documents.ts';
import { ServiceDesk } from '../registry/service-desk.ts';
import { AskedApp, verifierOf } from './asked-app.ts';

const verifier = verifierOf({
  ...Object.fromEntries(
    Object.entries(roleScopes).map(([role, held]) => [role, ['demo', held] as const]),
  ),
  stranger: ['other', roleScopes.admin],
});

/** Nothing here rolls anything out. */
const workflows: Deps['workflows'] = {
  start: async () => undefined,
  signal: async () => 'gone',
  status: async () => 'running',
};

/** Services and single rules over HTTP. */
export class ServiceApi extends ServiceDesk {
  readonly #app = createApp({ ...this.deps, verifier }, [
    ...serviceRoutes({ ...this.deps, parts: { records: recordsPart(this.deps) } }),
    ...namedRuleRoutes(this.deps),
    ...ruleRoutes(this.deps),
    ...changeRoutes({ ...this.deps, workflows }),
  ]);
  readonly #asked = new AskedApp(() => this.#app);
  readonly ask = this.#asked.ask;
  readonly done = this.#asked.done;
  readonly refused = this.#asked.refused;

  /** Puts a rule in force, and answers its snapshot. */
  async publish(id: string, fields: Readonly<Record<string, unknown>>, channel = 'prod') {
    const published = await this.done('editor', `POST /api/policies/${id}/publish`, {
      body: ruleYaml(id, fields),
      type: 'application/yaml',
      headers: { 'x-channel': channel },
    });
    return String(published['snapshot']);
  }
}
