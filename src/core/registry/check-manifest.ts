import { type ErrorDetail, InvalidRequest } from '../errors/app-error.ts';
import { serviceNamePattern } from './service-keys.ts';
import type { ServiceManifest } from './service-record.ts';

/** What an event is called: `voucher-submitted`, `case.opened`. */
export const eventTypePattern = /^[a-z0-9]+(?:[._-][a-z0-9]+)*$/;

export const manifestLimits = {
  maxUrlChars: 512,
  maxReplicas: 16,
  maxPathChars: 256,
  maxRoutes: 32,
  maxEventTypeChars: 128,
  /** Published, and as many again subscribed to. */
  maxEventTypes: 64,
  intervalS: { min: 5, max: 300 },
  probeTimeoutMs: { min: 100, max: 10_000 },
  /** Of `rise` and `fall`. */
  maxThreshold: 10,
  callTimeoutMs: { min: 100, max: 300_000 },
} as const;

// No escapes, and no empty segments: what two readers may take for two paths.
const pathPattern = /^(?:\/|(?:\/[A-Za-z0-9._~!$&'()*+,;=:@-]+)+)$/;
const hostPattern =
  /^(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?(?:\.[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?)*\.?|\[[0-9a-f:.]+\])$/;

interface Bounds {
  readonly min: number;
  readonly max: number;
}

type Report = (pointer: string, detail: string) => void;

/** Why a URL can never be called from here, put as what it must be; null for no reason. */
export type Refusal = (url: string) => string | null;

/**
 * The manifest in its one form: URLs as the standard writes them, without a slash at the end.
 * Errors: `InvalidRequest` with each thing that is wrong. Names lead elsewhere tomorrow: whether an
 * address may be reached is decided again for each connection.
 */
export function checkManifest(given: ServiceManifest, refusal: Refusal): ServiceManifest {
  const details: ErrorDetail[] = [];
  const report: Report = (pointer, detail) => void details.push({ pointer, detail });
  if (!serviceNamePattern.test(given.name)) {
    report('/name', 'must be 1 to 63 of a-z 0-9 -, and begin with a letter');
  }
  const target = (text: string, pointer: string): string => {
    const url = checkedUrl(text, pointer, report);
    const refused = url === null ? null : refusal(url);
    if (refused !== null) report(pointer, refused);
    return url ?? text;
  };
  const { secondaryUrl, events, health } = given;
  const manifest: ServiceManifest = {
    name: given.name,
    url: target(given.url, '/url'),
    replicas: given.replicas.map((url, place) => target(url, `/replicas/${place}`)),
    secondaryUrl: secondaryUrl === null ? null : target(secondaryUrl, '/secondaryUrl'),
    routes: [...given.routes],
    events: {
      publishes: [...events.publishes],
      subscribes: events.subscribes.map(({ type, path }) => ({ type, path })),
    },
    health: {
      path: health.path,
      intervalS: health.intervalS,
      timeoutMs: health.timeoutMs,
      rise: health.rise,
      fall: health.fall,
    },
    timeoutMs: given.timeoutMs,
  };
  checkTargets(manifest, report);
  checkPaths(manifest, report);
  checkEvents(manifest, report);
  checkNumbers(manifest, report);
  if (details.length > 0) throw new InvalidRequest('The manifest is not valid.', details);
  return manifest;
}

/** Null when it is none that can be called. */
function checkedUrl(text: string, pointer: string, report: Report): string | null {
  const url = text.length <= manifestLimits.maxUrlChars ? URL.parse(text) : null;
  if (url === null) {
    report(pointer, `must be a URL of at most ${manifestLimits.maxUrlChars} characters`);
    return null;
  }
  if (url.protocol !== 'https:' && url.protocol !== 'http:') {
    report(pointer, 'must begin with https:// or http://');
    return null;
  }
  const problems: string[] = [];
  if (!hostPattern.test(url.hostname) || url.hostname.length > 253) {
    problems.push('must have a host name or an IP address as its host');
  }
  if (url.username !== '' || url.password !== '') {
    problems.push('must not hold a user name or a password');
  }
  // Also one that is empty.
  if (text.includes('?')) problems.push('must not have a query');
  if (text.includes('#')) problems.push('must not have a fragment');
  // A URL does not write the default port of its protocol.
  if (url.port !== '' && Number(url.port) < 1024) {
    problems.push('must name no port, or one above 1023');
  }
  const path = url.pathname.replace(/\/$/, '');
  if (path !== '' && !pathPattern.test(path)) problems.push('must have a plain path, or none');
  const plain = `${url.origin}${path}`;
  if (problems.length === 0 && plain.length > manifestLimits.maxUrlChars) {
    problems.push(`must be at most ${manifestLimits.maxUrlChars} characters, escapes included`);
  }
  for (const problem of problems) report(pointer, problem);
  return problems.length === 0 ? plain : null;
}

function checkTargets({ url, replicas, secondaryUrl }: ServiceManifest, report: Report): void {
  if (replicas.length > manifestLimits.maxReplicas) {
    report('/replicas', `must be at most ${manifestLimits.maxReplicas}`);
  }
  const seen = new Set([url]);
  replicas.forEach((replica, place) => {
    if (seen.has(replica)) report(`/replicas/${place}`, 'is there already; name it once');
    seen.add(replica);
  });
  if (secondaryUrl !== null && seen.has(secondaryUrl)) {
    report('/secondaryUrl', 'must be another one than the primary ones');
  }
}

function checkPaths({ routes, events, health }: ServiceManifest, report: Report): void {
  const { maxRoutes } = manifestLimits;
  if (routes.length < 1 || routes.length > maxRoutes) {
    report('/routes', `must be 1 to ${maxRoutes} paths; / lets everything through`);
  }
  routes.forEach((route, place) => {
    if (!isPath(route)) report(`/routes/${place}`, notAPath);
    else if (routes.indexOf(route) < place) {
      report(`/routes/${place}`, 'is there already; name it once');
    }
  });
  events.subscribes.forEach(({ path }, place) => {
    if (!isPath(path)) report(`/events/subscribes/${place}/path`, notAPath);
  });
  if (!isPath(health.path)) report('/health/path', notAPath);
}

const notAPath = `must be a path such as /check: at most ${manifestLimits.maxPathChars} characters, without escapes, a query, .. or a slash at the end`;

function isPath(text: string): boolean {
  const isPlain = text.length <= manifestLimits.maxPathChars && pathPattern.test(text);
  return isPlain && !text.split('/').some((segment) => segment === '.' || segment === '..');
}

function checkEvents({ events }: ServiceManifest, report: Report): void {
  const { maxEventTypes } = manifestLimits;
  const subscribed = events.subscribes.map(({ type }) => type);
  for (const [name, types] of Object.entries({ ...events, subscribes: subscribed })) {
    if (types.length > maxEventTypes) {
      report(`/events/${name}`, `must be at most ${maxEventTypes}`);
    }
    types.forEach((type, place) => {
      const pointer = `/events/${name}/${place}`;
      if (!isEventType(type)) report(pointer, notAnEventType);
      else if (types.indexOf(type) < place) report(pointer, 'is there already; name it once');
    });
  }
}

const notAnEventType =
  'must be the type of an event, such as voucher-submitted: a-z 0-9, with . _ or - between';

function isEventType(text: string): boolean {
  return text.length <= manifestLimits.maxEventTypeChars && eventTypePattern.test(text);
}

function checkNumbers({ health, timeoutMs }: ServiceManifest, report: Report): void {
  const { intervalS, probeTimeoutMs, maxThreshold, callTimeoutMs } = manifestLimits;
  const check = (pointer: string, value: number, { min, max }: Bounds): void => {
    if (Number.isInteger(value) && value >= min && value <= max) return;
    report(pointer, `must be a whole number from ${min} to ${max}`);
  };
  check('/health/intervalS', health.intervalS, intervalS);
  check('/health/timeoutMs', health.timeoutMs, probeTimeoutMs);
  check('/health/rise', health.rise, { min: 1, max: maxThreshold });
  check('/health/fall', health.fall, { min: 1, max: maxThreshold });
  check('/timeoutMs', timeoutMs, callTimeoutMs);
  if (health.timeoutMs >= health.intervalS * 1000) {
    report('/health/timeoutMs', 'must be shorter than the interval between two probes');
  }
}
