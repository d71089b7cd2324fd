import { httpServiceCaller } from '../../src/adapters/runtime/http-service-caller.ts';
import { describeServiceCaller } from './service-caller.suite.ts';

describeServiceCaller('httpServiceCaller', () => {
  const caller = httpServiceCaller({ networks: { allowPrivate: true } });
  return { caller, close: () => caller.close() };
});
