import { startLocalService } from '../support/local-service.ts';
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
import { describeLiveStream, describeStream } from './stream.suite.ts';
import { describeTokens } from './tokens.suite.ts';

const name = 'embedded';

describeStory(name, startLocalService);
describePublish(name, startLocalService);
describeRead(name, startLocalService);
describeChanges(name, startLocalService);
describeLists(name, startLocalService);
describeAudit(name, startLocalService);
describeStream(name, startLocalService);
describeLiveStream(name, startLocalService);
describeProtocol(name, startLocalService);
describeTokens(name, startLocalService);
describeIsolation(name, startLocalService);
describeAttacks(name, startLocalService);
describeRaces(name, startLocalService);
