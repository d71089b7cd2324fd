import { httpHealthProbe } from '../adapters/runtime/http-health-probe.ts';
import type { HealthProbe } from '../ports/health-probe.ts';
import { allowedNetworks } from './aws-networks.ts';

export function awsProbe(): HealthProbe {
  return httpHealthProbe({ networks: allowedNetworks() });
}
