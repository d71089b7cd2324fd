import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { asyncApiDocument } from '../../../src/contract/asyncapi.ts';

type Json = { readonly [key: string]: Json } & { readonly $ref?: string };

describe('docs/asyncapi.yaml', () => {
  it('says what the code says (npm run asyncapi writes it)', async () => {
    const text = await readFile(new URL('../../../docs/asyncapi.yaml', import.meta.url), 'utf8');
    expect(parse(text)).toEqual(JSON.parse(JSON.stringify(asyncApiDocument())));
  });

  it('refers to nothing that it does not have', () => {
    const document = JSON.parse(JSON.stringify(asyncApiDocument())) as Json;
    const references = [...JSON.stringify(document).matchAll(/"\$ref":"([^"]+)"/g)];
    expect(references.length).toBeGreaterThan(20);
    for (const [, reference = ''] of references) {
      const [root, ...path] = reference.split('/');
      expect(root).toBe('#');
      const found = path.reduce<Json | undefined>((held, name) => held?.[name], document);
      expect(found, reference).toBeDefined();
    }
  });

  it('has every frame', () => {
    const { messages = {} } = asyncApiDocument()['components'] as { messages?: object };
    expect(Object.keys(messages).sort()).toEqual([
      'client.hello',
      'client.ping',
      'client.subscribe',
      'client.unsubscribe',
      'server.closing',
      'server.ended',
      'server.error',
      'server.hello',
      'server.message',
      'server.pong',
      'server.subscribed',
      'server.unsubscribed',
    ]);
  });
});
