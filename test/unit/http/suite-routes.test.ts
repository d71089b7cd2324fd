import { describe, expect, it } from 'vitest';
import { ApiDesk } from './api-desk.ts';

describe('suites', () => {
  const suite = {
    policies: ['epa'],
    decision: 'input.pm25 > 25.0 ? "closed" : "open"',
    scenarios: [{ name: 'smog', input: { pm25: 30.5 }, recorded: 'closed' }],
  };

  it('are registered as JSON or YAML, listed, and answered as they are', async () => {
    const desk = new ApiDesk();
    const put = 'PUT /api/simulations/air';
    const body = JSON.stringify(suite);
    const made = await desk.ask('editor', put, { body });
    expect(made.status).toBe(201);
    expect(made.headers.get('location')).toBe('/api/simulations/air');
    const { status, ...light } = made.body;
    expect([status, light['scenarios']]).toEqual(['stored', 1]);
    const again = await desk.ask('editor', put, { body: `# again\n${body}`, type: 'text/yaml' });
    expect([again.status, again.body]).toEqual([200, { ...light, status: 'unchanged' }]);
    expect(await desk.done('reader', 'GET /api/simulations/air')).toEqual(suite);
    expect(await desk.done('reader', 'GET /api/simulations')).toEqual({
      items: [light],
      next: null,
    });
    await desk.refused(404, 'stranger', 'GET /api/simulations/air');
    expect(await desk.done('stranger', 'GET /api/simulations')).toEqual({ items: [], next: null });
  });

  it('are refused with the place of what is wrong', async () => {
    const desk = new ApiDesk();
    const wrong = { body: JSON.stringify({ ...suite, decision: 'input.' }) };
    expect(await desk.refused(422, 'editor', 'PUT /api/simulations/air', wrong)).toEqual([
      '/decision',
    ]);
    await desk.refused(415, 'editor', 'PUT /api/simulations/air', { body: 'x', type: 'text/csv' });
    await desk.refused(400, 'editor', 'PUT /api/simulations/Air', wrong);
    await desk.refused(403, 'reader', 'PUT /api/simulations/air', wrong);
    const large = { body: new Uint8Array(4 * 1024 * 1024 + 1) };
    await desk.refused(413, 'editor', 'PUT /api/simulations/air', large);
  });
});
