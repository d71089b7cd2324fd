import { randomBytes } from 'node:crypto';
import { signedUploadGate } from '../../src/adapters/local/signed-upload-gate.ts';
import { createUploadApp } from '../../src/http/upload-route.ts';
import { coreDeps } from '../support/core-deps.ts';
import { describeUploadGate } from './upload-gate.suite.ts';

describeUploadGate('signedUploadGate', async () => {
  const deps = coreDeps();
  const { blobs, clock } = deps;
  const gate = signedUploadGate({ url: 'http://127.0.0.1', key: randomBytes(32), clock });
  const app = createUploadApp({ ...deps, wishOf: gate.wishOf });
  return {
    gate,
    blobs,
    nowMs: () => clock.nowMs(),
    send: async (url, init) => app.request(url, init),
    elapse: async (ms) => clock.set(clock.nowMs() + ms),
  };
});
