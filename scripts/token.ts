import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

interface Client {
  readonly name: string;
  readonly client_id: string;
  readonly client_secret: string;
}

// Prints an access token of the local server for a client of clients.json: `npm run token editor`.
const wanted = process.argv[2] ?? 'editor';
const dataDir = process.env['HMS_DATA_DIR'] ?? '.hms';
const url = process.env['HMS_URL'] ?? `http://127.0.0.1:${process.env['PORT'] ?? 8787}`;
try {
  console.log(await fetchToken());
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}

async function fetchToken(): Promise<string> {
  const file = join(dataDir, 'clients.json');
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    throw new Error(`Cannot read ${file}. Start the server first: npm start`, { cause: error });
  });
  const clients = JSON.parse(text) as Client[];
  const client =
    clients.find(({ client_id: id }) => id === wanted) ??
    clients.find(({ name }) => name === wanted);
  if (client === undefined) {
    const names = clients.map(({ client_id: id }) => id).join(', ');
    throw new Error(`No client "${wanted}" in ${file}. There are: ${names}`);
  }
  const response = await fetch(`${url}/oauth2/token`, {
    method: 'POST',
    body: new URLSearchParams({
      grant_type: 'client_credentials',
      client_id: client.client_id,
      client_secret: client.client_secret,
    }),
  }).catch((error: unknown) => {
    throw new Error(`No answer from ${url}. Is the server running? npm start`, { cause: error });
  });
  const answer = (await response.json()) as { access_token?: string; error_description?: string };
  if (answer.access_token === undefined) {
    throw new Error(`${url} refused: ${answer.error_description ?? response.status}`);
  }
  return answer.access_token;
}
