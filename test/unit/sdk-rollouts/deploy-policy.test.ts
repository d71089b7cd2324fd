import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { deployPolicy } from '../../../sdk/src/node/deploy-policy.ts';
import { packPackage } from '../../../sdk/src/node/pack-package.ts';
import { RunFailedError } from '../../../sdk/src/rollouts/run.ts';
import { serviceWith } from './run-service.ts';

const examples = join(import.meta.dirname, '../../../examples');
const file = join(examples, 'epa-pm25/2.0.0');
const files = [join(examples, 'housing/MAX_INCOME.yaml')];

describe('deployPolicy', () => {
  it('stores each package, and starts one run of all of them', async () => {
    const { connection, calls } = serviceWith({});
    const wish = { canary: 0.05, partners: ['maine'], reason: 'EPA 26-7' };
    const run = await deployPolicy({ file, files, ...wish, connection });
    expect(run.number).toBe(184);
    const { bytes } = await packPackage(file);
    expect(calls).toEqual([
      { call: 'POST /api/policies/epa-pm25-limit/snapshots', body: Buffer.from(bytes) },
      { call: 'POST /api/policies/MAX_INCOME/snapshots', body: expect.any(Buffer) },
      {
        call: 'POST /api/runs',
        body: {
          policies: [
            { id: 'epa-pm25-limit', snapshot: 'snapshot-of-epa-pm25-limit' },
            { id: 'MAX_INCOME', snapshot: 'snapshot-of-MAX_INCOME' },
          ],
          ...wish,
        },
      },
    ]);
  });

  it('waits for the end of the run when it is told to', async () => {
    const { connection, calls } = serviceWith({});
    await deployPolicy({ file, wait: true, connection });
    expect(calls.at(-1)?.call).toBe('GET /api/runs/184');
    const failed = deployPolicy({
      file,
      wait: true,
      connection: serviceWith({ status: 'rejected' }).connection,
    });
    await expect(failed).rejects.toBeInstanceOf(RunFailedError);
  });

  it('sends nothing before it has read all files', async () => {
    const { connection, calls } = serviceWith({});
    const missing = [join(examples, 'nowhere.yaml')];
    await expect(deployPolicy({ file, files: missing, connection })).rejects.toThrow(
      'nowhere.yaml cannot be read',
    );
    await expect(deployPolicy({ connection })).rejects.toThrow('Name a file');
    expect(calls).toEqual([]);
  });
});
