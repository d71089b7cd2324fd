import { allOperations } from '../../contract/operations/all-operations.ts';
import { docsOperations, healthOperations } from '../../contract/operations/open-operations.ts';
import { openApiDocument } from '../../contract/openapi.ts';
import { NotFound } from '../../core/errors/app-error.ts';
import { docsPage, docsScript } from '../docs-page.ts';
import { jsonReply, type Reply } from '../reply.ts';
import { type Route, route } from '../route.ts';

export interface DocsSource {
  /** Where a reader of the documentation gets a token. */
  readonly tokenUrl: string;
  /** A file of `swagger-ui-dist`. */
  readonly readAsset: (name: string) => Promise<Uint8Array>;
}

const assetTypes: ReadonlyMap<string, string> = new Map([
  ['swagger-ui.css', 'text/css; charset=utf-8'],
  ['swagger-ui-bundle.js', 'text/javascript; charset=utf-8'],
  ['favicon-32x32.png', 'image/png'],
]);

/** What needs no token: whether we are well, and how to call us. */
export function openRoutes(docs: DocsSource): Route[] {
  let document: string | undefined;
  return [
    route(healthOperations.healthz, async () => jsonReply(200, { status: 'ok' })),
    route(docsOperations.getOpenApi, async () => {
      document ??= JSON.stringify(openApiDocument(allOperations, docs.tokenUrl));
      return reply('application/json', document);
    }),
    route(docsOperations.getDocs, async () => reply('text/html; charset=utf-8', docsPage)),
    route(docsOperations.getDocsAsset, async ({ params }) => {
      if (params.asset === 'start.js') return reply('text/javascript; charset=utf-8', docsScript);
      const type = assetTypes.get(params.asset);
      if (type === undefined) throw new NotFound('There is no such file.');
      return reply(type, await docs.readAsset(params.asset));
    }),
  ];
}

function reply(contentType: string, body: string | Uint8Array): Reply {
  return {
    status: 200,
    headers: {
      'content-type': contentType,
      'cache-control': 'public, max-age=300',
      'content-security-policy':
        "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; " +
        "img-src 'self' data:; connect-src 'self'; frame-ancestors 'none'; base-uri 'none'",
    },
    body,
  };
}
