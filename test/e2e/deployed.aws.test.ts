import { deployedService } from '../support/deployed-service.ts';
import { describeAttacks } from './attacks.suite.ts';
import { describeAudit } from './audit.suite.ts';
import { describeChanges } from './changes.suite.ts';
import { describeIsolation } from './isolation.suite.ts';
import { describeLists } from './lists.suite.ts';
import { describeProtocol } from './protocol.suite.ts';
import { describePublish } from './publish.suite.ts';
import { describeRaces } from './races.suite.ts';
import { describeRead } from './read.suite.ts';
import { describeStory } from './story.suite.ts';
import { describeStream } from './stream.suite.ts';
import { describeTokens } from './tokens.suite.ts';

const name = 'deployed';

describeStory(name, deployedService);
describePublish(name, deployedService);
describeRead(name, deployedService);
describeChanges(name, deployedService);
describeLists(name, deployedService);
describeAudit(name, deployedService);
describeStream(name, deployedService);
describeProtocol(name, deployedService);
describeTokens(name, deployedService);
describeIsolation(name, deployedService);
describeAttacks(name, deployedService);
describeRaces(name, deployedService);
