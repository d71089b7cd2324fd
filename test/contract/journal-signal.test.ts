import { inProcessSignal } from '../../src/adapters/local/in-process-signal.ts';
import { describeJournalSignal } from './journal-signal.suite.ts';

describeJournalSignal('inProcessSignal', async () => ({ signal: inProcessSignal() }));
