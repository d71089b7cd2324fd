import { writeFile } from 'node:fs/promises';
import { stringify } from 'yaml';
import { allOperations } from '../src/contract/operations/all-operations.ts';
import { openApiDocument } from '../src/contract/openapi.ts';

// Writes docs/openapi.yaml, the API as files and tools read it; a test holds it against the code.
const document = openApiDocument(allOperations, 'http://127.0.0.1:8787/oauth2/token');
await writeFile(
  new URL('../docs/openapi.yaml', import.meta.url),
  stringify(JSON.parse(JSON.stringify(document)), { aliasDuplicateObjects: false }),
);
