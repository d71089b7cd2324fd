import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { allOperations } from '../../../src/contract/operations/all-operations.ts';
import { queryOperations } from '../../../src/contract/operations/query-operations.ts';
import { AppError } from '../../../src/core/errors/app-error.ts';
import { parseBody, parsePart, parseQuery } from '../../../src/http/read-request.ts';

const json = {
  kind: 'json',
  schema: z.strictObject({ a: z.strictObject({ 'x/y~z': z.array(z.int()) }).optional() }),
} as const;

function post(body: RequestInit['body'], type = 'application/json'): Request {
  const init = { method: 'POST', body, headers: { 'content-type': type }, duplex: 'half' };
  return new Request('http://localhost/', init as RequestInit);
}

async function failureOf(run: () => unknown): Promise<AppError> {
  try {
    await run();
  } catch (error) {
    if (error instanceof AppError) return error;
    throw error;
  }
  throw new Error('It was taken.');
}

describe('a body in JSON', () => {
  it('is named by RFC 6901 pointers where it is wrong', async () => {
    const pointersOf = async (value: unknown) => {
      const error = await failureOf(() => parseBody(json, post(JSON.stringify(value))));
      return error.details.map(({ pointer }) => pointer);
    };
    expect(await pointersOf({ a: { 'x/y~z': [1, 'two'] } })).toEqual(['/a/x~1y~0z/1']);
    expect(await pointersOf({ b: 1 })).toEqual(['']);
    expect(await pointersOf([])).toEqual(['']);
  });

  it('is one of ours to refuse, or to take, whatever its bytes are', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 50 }), async (bytes) => {
        const body = new Uint8Array(bytes);
        const { code } = await failureOf(() => parseBody(json, post(body)));
        expect(code).toBe('invalid_request');
      }),
    );
  });

  it('is read to its limit and no further', async () => {
    let pulled = 0;
    const endless = new ReadableStream<Uint8Array>(
      {
        pull(controller) {
          pulled += 1024;
          controller.enqueue(new Uint8Array(1024).fill(0x20));
        },
      },
      { highWaterMark: 0 },
    );
    const error = await failureOf(() => parseBody(json, post(endless)));
    expect(error.code).toBe('too_large');
    expect(pulled).toBeLessThanOrEqual(66 * 1024);
  });

  it('is as large as its operation takes', async () => {
    const large = { kind: 'json', schema: z.string(), maxBytes: 100_000 } as const;
    const text = 'x'.repeat(99_998);
    expect(await parseBody(large, post(JSON.stringify(text)))).toBe(text);
    const { code } = await failureOf(() => parseBody(large, post(JSON.stringify(`${text}x`))));
    expect(code).toBe('too_large');
  });

  it('that breaks off is the fault of who sends it', async () => {
    const broken = new ReadableStream<Uint8Array>({
      pull: (controller) => controller.error(new Error('aborted')),
    });
    expect((await failureOf(() => parseBody(json, post(broken)))).code).toBe('invalid_request');
  });
});

describe('a query', () => {
  const urlOf = (query: string) => new URL(`http://localhost/?${query}`);

  it('is taken or refused by name, and never reaches a prototype', () => {
    const names = fc.constantFrom('__proto__', 'constructor', 'toString', 'hasOwnProperty');
    fc.assert(
      fc.property(fc.constantFrom(...allOperations), names, fc.string(), (each, name, value) => {
        const query = new URLSearchParams([[name, value]]).toString();
        expect(() => parseQuery(each, urlOf(query))).toThrow('Unknown query parameter');
      }),
    );
  });

  it('is refused when a parameter comes twice, and names it', async () => {
    const run = () => parseQuery(queryOperations.getAudit, urlOf('actor=a&actor=a'));
    const { details } = await failureOf(run);
    expect(details).toEqual([{ pointer: 'query:actor', detail: 'give it once' }]);
  });

  it('that is anything at all is refused in words of bounded length', async () => {
    await fc.assert(
      fc.asyncProperty(fc.webQueryParameters({ size: 'large' }), async (query) => {
        try {
          parseQuery(queryOperations.getAudit, urlOf(query));
        } catch (error) {
          expect(error).toBeInstanceOf(AppError);
          expect(JSON.stringify((error as AppError).details).length).toBeLessThan(2000);
        }
      }),
    );
  });
});

describe('findings', () => {
  it('are about the form that was meant, wherever there are several', async () => {
    const leaf = z.union([z.strictObject({ a: z.int(), b: z.int() }), z.int().min(1), z.null()]);
    const schema = z.strictObject({ x: z.union([z.array(leaf), z.literal('none')]) });
    const pointersOf = async (x: unknown) =>
      (await failureOf(() => parsePart(schema, { x }, 'body'))).details.map((each) => each.pointer);
    expect(await pointersOf([{ a: 'one', b: 2 }])).toEqual(['/x/0/a']);
    expect(await pointersOf([null, { a: 'one' }])).toEqual(['/x/1/a', '/x/1/b']);
    expect(await pointersOf([0])).toEqual(['/x/0']);
    expect(await pointersOf([true])).toEqual(['/x/0']);
    expect(await pointersOf(7)).toEqual(['/x']);
  });

  it('are at most twenty', async () => {
    const schema = z.array(z.int());
    const texts = Array.from({ length: 100 }, () => 'x');
    const { details } = await failureOf(() => parsePart(schema, texts, 'body'));
    expect(details).toHaveLength(20);
  });
});
