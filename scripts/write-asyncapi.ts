import { writeFile } from 'node:fs/promises';
import { stringify } from 'yaml';
import { asyncApiDocument } from '../src/contract/asyncapi.ts';

// Writes docs/asyncapi.yaml, what is said over WebSockets; a test holds it against the code.
await writeFile(
  new URL('../docs/asyncapi.yaml', import.meta.url),
  stringify(JSON.parse(JSON.stringify(asyncApiDocument())), { aliasDuplicateObjects: false }),
);
