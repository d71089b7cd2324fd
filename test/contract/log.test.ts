import { jsonLog } from '../../src/adapters/runtime/json-log.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { describeLog } from './log.suite.ts';

describeLog('jsonLog', () => {
  let text = '';
  const write = (line: string): void => void (text += line);
  return {
    log: jsonLog({ write, clock: new ManualClock(), level: 'debug' }),
    written: () => text,
  };
});
