import type { ApiOptions } from '../../../sdk/src/api/api.ts';
import type { RunPage } from '../../../sdk/src/wire/run.ts';

const stage = { startedAt: null, endedAt: null } as const;
/** A run that ended at its simulation, but for what a test says. */
export const page: RunPage = {
  run: 184,
  status: 'succeeded',
  channel: 'prod',
  policies: [],
  stages: [
    { ...stage, name: 'lint', status: 'passed', detail: 'no findings' },
    { ...stage, name: 'simulate', status: 'failed', detail: '40.0% adapted' },
    { ...stage, name: 'canary', status: 'skipped', detail: null },
  ],
  canary: null,
  partners: [],
  approvals: 0,
  hotfix: false,
  reason: null,
  author: 'ann',
  createdAt: '2026-01-01T00:00:00.000Z',
  endedAt: '2026-01-01T00:00:05.000Z',
  outcome: 'too few scenarios adapt',
  waitsFor: null,
  ticket: null,
  bucketing: null,
  lint: null,
  simulation: null,
  verdict: null,
};

/** A service that takes every package, with one run that ends as said, and every call that it got. */
export function serviceWith(ended: Partial<RunPage>) {
  const calls: { readonly call: string; readonly body: unknown }[] = [];
  const step = (index: number, action: string) =>
    `id: ${index}\ndata: ${JSON.stringify({ run: 184, action })}\n\n`;
  const answers: Readonly<Record<string, () => Response>> = {
    'POST /api/runs': () => Response.json({ run: 184, status: 'queued', waitsFor: null }),
    'GET /api/runs/184': () => Response.json({ ...page, ...ended }),
    'POST /api/runs/184/abort': () => Response.json({ ...page, status: 'aborted' }),
    'GET /api/runs/184/events': () =>
      new Response(`${step(1, 'run.queued')}${step(2, 'run.ended')}`, {
        headers: { 'content-type': 'text/event-stream' },
      }),
  };
  const connection: ApiOptions = {
    baseUrl: 'http://hms.test',
    fetch: async (input, init) => {
      const request = new Request(input, init);
      const call = `${request.method} ${new URL(request.url).pathname}`;
      const isJson = request.headers.get('content-type') === 'application/json';
      const bytes = Buffer.from(await request.arrayBuffer());
      calls.push({ call, body: isJson ? (JSON.parse(bytes.toString()) as unknown) : bytes });
      const [, id] = /^POST \/api\/policies\/([^/]+)\/snapshots$/.exec(call) ?? [];
      if (id !== undefined) return Response.json({ snapshot: `snapshot-of-${id}` });
      return answers[call]?.() ?? new Response(null, { status: 404 });
    },
  };
  return { connection, calls };
}
