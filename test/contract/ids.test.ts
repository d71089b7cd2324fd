import { uuidIds } from '../../src/adapters/runtime/uuid-ids.ts';
import { describeIds } from './ids.suite.ts';

describeIds('uuidIds', (clock) => uuidIds(clock));
