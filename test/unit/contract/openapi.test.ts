import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { allOperations } from '../../../src/contract/operations/all-operations.ts';
import { openApiDocument } from '../../../src/contract/openapi.ts';

describe('docs/openapi.yaml', () => {
  it('says what the code says (npm run openapi writes it)', async () => {
    const text = await readFile(new URL('../../../docs/openapi.yaml', import.meta.url), 'utf8');
    const document = openApiDocument(allOperations, 'http://127.0.0.1:8787/oauth2/token');
    expect(parse(text)).toEqual(JSON.parse(JSON.stringify(document)));
  });
});
