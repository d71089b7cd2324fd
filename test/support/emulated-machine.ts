import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';

import { CreateStateMachineCommand, DeleteStateMachineCommand } from '@aws-sdk/client-sfn';
import type { SFNClient } from '@aws-sdk/client-sfn';
import { strToU8, zipSync } from 'fflate';

import type { WorkflowTasks } from '../../src/adapters/local/local-workflows.ts';
import type { Json } from '../../src/core/values/json.ts';

export interface EmulatedMachine extends AsyncDisposable {
  readonly stateMachineArn: string;
}

export interface EmulatedMachineOptions {
  readonly client: SFNClient;
  /** Every placeholder but that of the waiting tasks becomes one and the same function. */
  readonly definition: Json;
  /** Run here, in this process: the function on the emulator only asks for them. */
  readonly tasks: () => WorkflowTasks;
}

const waitForTaskToken = 'arn:aws:states:::lambda:invoke.waitForTaskToken';
const roleArn = 'arn:aws:iam::000000000000:role/test';

/** The function: asks over loopback, and fails as the task failed. */
const source = `
export async function handler(event) {
  const response = await fetch(process.env.TASKS_URL, { method: 'POST', body: JSON.stringify(event) });
  const { result, error } = await response.json();
  if (error !== undefined) throw Object.assign(new Error(error), { name: error });
  return result;
}
`;

/** A state machine on the emulator at AWS_ENDPOINT_URL whose tasks are given, until disposed of. */
export async function emulatedMachine(options: EmulatedMachineOptions): Promise<EmulatedMachine> {
  const { client, definition, tasks } = options;
  const name = `test-${crypto.randomUUID()}`;
  await using cleanup = new AsyncDisposableStack();
  const server = createServer((request, response) => void answer(tasks(), request, response));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  cleanup.defer(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;

  const functionArn = await createFunction(name, `http://127.0.0.1:${port}`);
  cleanup.defer(async () => void (await lambda('DELETE', `/${name}`)));
  const filled = JSON.stringify(definition)
    .replaceAll('${InvokeAndWait}', waitForTaskToken)
    .replaceAll(/\$\{\w+\}/g, functionArn);
  const created = await client.send(
    new CreateStateMachineCommand({ name, definition: filled, roleArn }),
  );
  const { stateMachineArn = '' } = created;
  cleanup.defer(async () => void (await client.send(new DeleteStateMachineCommand(created))));
  const kept = cleanup.move();
  return { stateMachineArn, [Symbol.asyncDispose]: () => kept.disposeAsync() };
}

async function answer(
  tasks: WorkflowTasks,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const input: { readonly task: string } & Json = JSON.parse(await text(request));
  const outcome = await Promise.resolve(tasks[input.task]?.(input)).then(
    (result) => ({ result }),
    (error: unknown) => ({ error: error instanceof Error ? error.name : 'Error' }),
  );
  response.end(JSON.stringify(outcome));
}

async function createFunction(name: string, url: string): Promise<string> {
  const code = Buffer.from(zipSync({ 'index.mjs': strToU8(source) })).toString('base64');
  const created = await lambda('POST', '', {
    FunctionName: name,
    Runtime: 'nodejs24.x',
    Handler: 'index.handler',
    Role: roleArn,
    Timeout: 30,
    Environment: { Variables: { TASKS_URL: url } },
    Code: { ZipFile: code },
  });
  return created.FunctionArn;
}

/** Without the client: nothing else here needs it, and the emulator looks at no signature. */
async function lambda(
  method: string,
  path: string,
  body?: object,
): Promise<{ readonly FunctionArn: string }> {
  const { AWS_ENDPOINT_URL = '', AWS_REGION = '' } = process.env;
  const response = await fetch(`${AWS_ENDPOINT_URL}/2015-03-31/functions${path}`, {
    method,
    headers: {
      Authorization: `AWS4-HMAC-SHA256 Credential=test/20260101/${AWS_REGION}/lambda/aws4_request, SignedHeaders=host, Signature=none`,
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const answered = await response.text();
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${answered}`);
  return answered === '' ? { FunctionArn: '' } : JSON.parse(answered);
}
