import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { changeOperations } from '../../src/contract/operations/change-operations.ts';
import { publishRule, readRule } from '../support/cast.ts';
import { type DocumentedCall, documentedCalls, requestFor } from '../support/documented-calls.ts';
import { openStream } from '../support/event-stream.ts';
import { freePort } from '../support/free-port.ts';
import { localTokens } from '../support/local-service.ts';
import { uniqueId } from '../support/policy-documents.ts';
import { serviceClient } from '../support/service-client.ts';
import {
  failToStart,
  type LocalServer,
  startLocalServer,
  temporaryFolder,
} from '../support/start-local-server.ts';

async function start(options: Parameters<typeof startLocalServer>[0] = {}): Promise<LocalServer> {
  const server = await startLocalServer(options);
  onTestFinished(() => server.kill());
  return server;
}

/**
 * What is about one run, job or service, and what is live: test/e2e/rollouts-kill.test.ts and
 * jobs-kill.test.ts have those.
 */
const ofOthers =
  /\{(?:run|ticket|suite|name|delivery|channel|job|case|claim|rule)\}|\/stream\/|^\/health$/;

describe('embedded: stopping and starting again', () => {
  it('keeps everything: state, tokens, and where listeners are', async () => {
    const place = { dataDir: temporaryFolder(), port: await freePort() };
    const server = await start(place);
    const token = localTokens(server);
    const [editorToken, adminToken] = [await token('demo-editor'), await token('demo-admin')];
    const editor = serviceClient(server.baseUrl, editorToken);
    const admin = serviceClient(server.baseUrl, adminToken);
    const id = uniqueId('kept');
    const stream = await openStream(server.baseUrl, editorToken);
    const { body: first } = await publishRule(editor, id, { limit: 1 });
    await publishRule(editor, id, { limit: 2 }, { 'x-channel': 'dev' });
    const hour = new Date(Date.now() + 3_600_000).toISOString();
    await publishRule(editor, id, { limit: 3, effective: hour }, { 'x-channel': 'test' });
    const text = `about ${id}`;
    const attached = await editor.call(changeOperations.addAttachment, {
      params: { id },
      query: { name: 'a.txt' },
      bytes: text,
    });
    const large = uniqueId('large');
    await publishRule(editor, large, { text: 'x'.repeat(200_000) });
    await stream.until(4);
    const values = { id, snapshot: first.snapshot, digest: attached.body.digest };
    const reads = (await documentedCalls(server.baseUrl)).filter(
      ({ operationId, method, path }) =>
        (method === 'GET' && !ofOthers.test(path)) || operationId === 'queryGraph',
    );
    const readAll = async () => {
      const answers: Record<string, unknown> = {};
      for (const call of reads) answers[call.operationId] = await shown(call);
      answers['large'] = (await readRule(admin, large)).text.length;
      return answers;
    };
    async function shown(call: DocumentedCall) {
      const { method, path, init } = requestFor(call, { ...values, asset: 'start.js' });
      const { status, headers, text: body } = await admin.fetch(method, path, init);
      expect(status, call.operationId).toBe(200);
      return [body, headers.get('etag')];
    }
    const before = await readAll();
    expect(await server.stop()).toBe(0);
    expect(await stream.ended).toBe(true);

    const again = await start(place);
    expect(again.baseUrl).toBe(server.baseUrl);
    expect(await readAll()).toEqual(before);
    const { body: next } = await publishRule(editor, id, { limit: 4 });
    expect(next).toMatchObject({ gen: 2, before: first.snapshot });
    const resumed = await openStream(again.baseUrl, editorToken, {
      lastEventId: stream.position(),
    });
    expect((await resumed.until(1)).map((message) => message.id)).toEqual([String(next.index)]);
    resumed.close();
    const fresh = await localTokens(again)('demo-service');
    expect((await readRule(serviceClient(again.baseUrl, fresh), id)).body['limit']).toBe(4);
  });

  it('stops within seconds when asked, ends streams, and lets requests finish', async () => {
    const server = await start();
    const token = localTokens(server);
    const editor = serviceClient(server.baseUrl, await token('demo-editor'));
    const streams = await Promise.all(
      [1, 2, 3].map(async () => openStream(server.baseUrl, await token('demo-service'))),
    );
    const publishing = Array.from({ length: 5 }, (_, limit) =>
      publishRule(editor, uniqueId('finishing'), { limit, text: 'x'.repeat(200_000) }),
    );
    const heard = streams[0]?.until(1);
    await heard;
    const startedMs = performance.now();
    expect(await server.stop()).toBe(0);
    expect(performance.now() - startedMs).toBeLessThan(4000);
    expect(await Promise.all(streams.map(({ ended }) => ended))).toEqual([true, true, true]);
    for (const outcome of await Promise.allSettled(publishing)) {
      // Finished, or never begun: not cut off in the middle of an answer.
      if (outcome.status === 'rejected') expect(outcome.reason).toBeInstanceOf(TypeError);
    }
    expect(server.log().at(-1)).toMatchObject({ msg: 'stopped' });
    expect(server.log().filter(({ level }) => level === 'error')).toEqual([]);
  });

  it('answers every request that it accepts, from the first on', async () => {
    const port = await freePort();
    const starting = start({ port });
    for (let answered = 0; answered < 5;) {
      const signal = AbortSignal.timeout(5000);
      try {
        const { status } = await fetch(`http://127.0.0.1:${port}/healthz`, { signal });
        expect(status).toBe(200);
        answered += 1;
      } catch (error) {
        // Nobody listens yet; but one who does and says nothing fails the test.
        if (!(error instanceof TypeError)) throw error;
      }
    }
    await starting;
  });

  it('relays at the next start what it could not relay before', async () => {
    const place = { dataDir: temporaryFolder(), port: await freePort() };
    const server = await start(place);
    const editor = serviceClient(server.baseUrl, await localTokens(server)('demo-editor'));
    const { body } = await publishRule(editor, uniqueId('relayed'));
    await server.kill();
    const again = await start(place);
    const wanted = `policy.updated demo/${body.index}/policy.updated`;
    const told = () =>
      [...server.log(), ...again.log()].flatMap(({ msg, events }) =>
        msg === 'events relayed' ? (events as string[]) : [],
      );
    await expect.poll(told, { timeout: 5000 }).toContain(wanted);
  });
});

describe('embedded: a server that cannot start says why', () => {
  it.each(['abc', '-1', '65536', '80.5', '1e9'])('PORT=%s', async (port) => {
    const { code, stderr } = await failToStart({ PORT: port, HMS_DATA_DIR: temporaryFolder() });
    expect(code).toBe(1);
    expect(stderr.trim()).toBe(`PORT is "${port}": give a number from 0 to 65535.`);
  });

  it('HMS_LOG_LEVEL=loud', async () => {
    const env = { PORT: '0', HMS_DATA_DIR: temporaryFolder(), HMS_LOG_LEVEL: 'loud' };
    const { code, stderr } = await failToStart(env);
    expect(code).toBe(1);
    expect(stderr).toContain('HMS_LOG_LEVEL is "loud"');
  });

  it('a port in use', async () => {
    const holder = createServer().listen(0, '127.0.0.1');
    onTestFinished(() => void holder.close());
    await once(holder, 'listening');
    const { port } = holder.address() as { port: number };
    const { code, stderr } = await failToStart({
      PORT: String(port),
      HMS_DATA_DIR: temporaryFolder(),
    });
    expect(code).toBe(1);
    expect(stderr.trim()).toBe(`Port ${port} is in use. Set PORT to another one.`);
  });

  it('a data folder in use, and the server that has it goes on', async () => {
    const server = await start();
    const { code, stderr } = await failToStart({ PORT: '0', HMS_DATA_DIR: server.dataDir });
    expect(code).toBe(1);
    expect(stderr.trim()).toBe(`the data folder ${server.dataDir} is in use by another process`);
    expect((await fetch(`${server.baseUrl}/healthz`)).status).toBe(200);
  });

  it('a data folder that is a file', async () => {
    const file = join(temporaryFolder(), 'file');
    writeFileSync(file, '');
    const { code, stderr } = await failToStart({ PORT: '0', HMS_DATA_DIR: file });
    expect(code).toBe(1);
    expect(stderr).toContain(file);
  });

  it('secrets that others may read', async () => {
    const dataDir = temporaryFolder();
    mkdirSync(dataDir, { recursive: true });
    writeFileSync(join(dataDir, 'clients.json'), '[]', { mode: 0o644 });
    const { code, stderr } = await failToStart({ PORT: '0', HMS_DATA_DIR: dataDir });
    expect(code).toBe(1);
    expect(stderr).toContain('chmod 600');
  });
});
