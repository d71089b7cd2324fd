import { join } from 'node:path';

import { bundleEntry, root } from './bundle-handler.ts';
import type { Bundle } from './bundle-handler.ts';

/**
 * Bundles the service in a folder, and what makes a function of it: `service.ts` there exports
 * `createService`, as `hms new-service` writes it. What it imports is looked for in its own
 * `node_modules`, and then in ours. Errors: those of esbuild.
 */
export function bundleService(name: string, folder: string): Bundle {
  const importOf = (what: string, path: string) =>
    `import { ${what} } from ${JSON.stringify(path)};`;
  return bundleEntry(name, {
    stdin: {
      contents: [
        importOf('createService', join(folder, 'service.ts')),
        importOf('lambdaService', join(root, 'src/compose/lambda-service.ts')),
        'export const handler = lambdaService(createService);',
      ].join('\n'),
      sourcefile: 'index.ts',
      resolveDir: root,
      loader: 'ts',
    },
    nodePaths: [join(root, 'node_modules')],
    // It is started by Lambda, and is not to listen.
    define: { 'import.meta.main': 'false' },
  });
}
