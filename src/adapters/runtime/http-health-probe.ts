import type { IncomingMessage } from 'node:http';

import type { HealthProbe, ProbeResult } from '../../ports/health-probe.ts';
import { brokenBy, withinTime } from './attempt-failed.ts';
import { checkedRequest, isSuccess, usableUrl } from './checked-request.ts';
import {
  addressCheck,
  type CheckAddress,
  type CheckedAddress,
  literalCheck,
  type ReachableNetworks,
  type Resolve,
} from './public-address.ts';

export interface HttpHealthProbeOptions {
  readonly networks: ReachableNetworks;
  readonly resolve?: Resolve;
}

type Finding = Omit<ProbeResult, 'tookMs'>;

/** So that a service with a short page is not left with a broken connection. */
const maxBodyBytes = 4 * 1024;
const headers = { accept: '*/*', 'user-agent': 'hms-svc' };

/**
 * Probes by HTTP/1.1: the status is the outcome, whether or not the body ever ends. It connects to
 * the very address that it checked; `http:` only to private networks, where those are allowed.
 * Errors: a network that is no CIDR, at once.
 */
export function httpHealthProbe({ networks, resolve }: HttpHealthProbeOptions): HealthProbe {
  const check = addressCheck(networks, resolve);
  const checkLiteral = literalCheck(networks);
  return {
    async probe(text, timeoutMs, stop) {
      const startedMs = performance.now();
      const soFar = { finding: failed(`no answer in ${timeoutMs} ms`) };
      const { ok, detail } = await withinTime(
        timeoutMs,
        () => soFar.finding,
        (signal) => ask(text, check, signal, soFar),
        stop,
      );
      return { ok, detail, tookMs: Math.round(performance.now() - startedMs) };
    },

    refusal(text) {
      const url = usableUrl(text);
      if (url === undefined) return 'must be an http or https URL that can be used';
      const address = checkLiteral(url.hostname);
      if (address === null) return null;
      if (address === undefined) return 'must not lead to this machine or a private network';
      return isInTheClear(url, address) ? 'must be https: the host is public' : null;
    },
  };
}

function failed(detail: string): Finding {
  return { ok: false, detail };
}

function isInTheClear(url: URL, { isPublic }: CheckedAddress): boolean {
  return url.protocol === 'http:' && isPublic;
}

async function ask(
  text: string,
  check: CheckAddress,
  signal: AbortSignal,
  soFar: { finding: Finding },
): Promise<Finding> {
  const url = usableUrl(text);
  if (url === undefined) return failed('the URL cannot be used');
  let address: CheckedAddress | undefined;
  try {
    address = await check(url.hostname);
  } catch (error) {
    return failed(brokenBy('the host name could not be resolved', error));
  }
  if (signal.aborted) return soFar.finding;
  if (address === undefined) return failed('the host leads to an address that is not public');
  if (isInTheClear(url, address)) return failed('a public host needs https');
  try {
    const response = await checkedRequest({ url, address, method: 'GET', headers, signal });
    soFar.finding = findingOf(response);
    await skipBody(response);
    return soFar.finding;
  } catch (error) {
    return failed(brokenBy('no answer', error));
  }
}

function findingOf(response: IncomingMessage): Finding {
  const { statusCode = 0 } = response;
  const isRedirect = statusCode >= 300 && statusCode < 400;
  const detail = `answered ${statusCode}${isRedirect ? ': redirects are not followed' : ''}`;
  return { ok: isSuccess(response), detail };
}

/** Whatever becomes of it: the status has come. */
async function skipBody(response: IncomingMessage): Promise<void> {
  let sizeBytes = 0;
  try {
    for await (const chunk of response as AsyncIterable<Buffer>) {
      sizeBytes += chunk.byteLength;
      if (sizeBytes > maxBodyBytes) break;
    }
  } catch {
    // It broke off.
  }
  response.destroy();
}
