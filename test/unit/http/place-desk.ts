import { createApp } from '../../../src/http/app.ts';
import { caseRoutes } from '../../../src/http/handlers/case-handlers.ts';
import { referenceRoutes } from '../../../src/http/handlers/reference-handlers.ts';
import { CaseDesk } from '../cases/case-desk.ts';
import { AskedApp, verifierOf } from './asked-app.ts';

const verifier = verifierOf({
  editor: ['demo', ['read:policy', 'write:policy']],
  reader: ['demo', ['read:policy']],
  crew: ['demo', ['read:job']],
  stranger: ['other', ['read:policy', 'read:job']],
});

/** Cases and reference data over HTTP. */
export class PlaceDesk extends CaseDesk {
  readonly #app = createApp({ ...this.deps, verifier }, [
    ...caseRoutes(this.deps),
    ...referenceRoutes(this.deps),
  ]);
  readonly #asked = new AskedApp(() => this.#app, 'application/geo+json');
  readonly ask = this.#asked.ask;
  readonly refused = this.#asked.refused;
}
