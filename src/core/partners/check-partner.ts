import { type ErrorDetail, InvalidRequest } from '../errors/app-error.ts';
import type { PartnerTarget } from './partner.ts';

export const partnerNamePattern = /^[a-z0-9][a-z0-9-]{0,62}$/;

const maxSecretBytes = 16 * 1024;
const maxRecipients = 10;
// Narrower than RFC 5321: nothing that a header or a list of addresses could take for its own.
const addressPattern =
  /^[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){0,9}$/;
/** A DNS name, an IPv4 address, or an IPv6 address. */
const hostPattern = /^(?:[A-Za-z0-9](?:[A-Za-z0-9.-]{0,252}[A-Za-z0-9])?|[0-9A-Fa-f:.]{2,45})$/;
const fingerprintPattern = /^SHA256:[A-Za-z0-9+/]{43}$/;
const secretPattern = /^whsec_(?<key>[A-Za-z0-9+/]+={0,2})$/;

type Report = (pointer: string, detail: string) => void;

/**
 * Errors: `InvalidRequest` with each thing that is wrong, and never the secret. Whether an address
 * may be reached is for whoever sends to decide: names lead elsewhere tomorrow.
 */
export function checkPartner(
  name: string,
  target: PartnerTarget,
  secret: string | undefined,
): void {
  const details: ErrorDetail[] = [];
  const report: Report = (pointer, detail) => void details.push({ pointer, detail });
  if (!partnerNamePattern.test(name)) {
    report('/name', 'must be 1 to 63 of a-z 0-9 -, and not begin with -');
  }
  if (target.kind === 'webhook') checkWebhook(target.url, secret, report);
  else if (target.kind === 'email') checkEmail(target.to, secret, report);
  else checkSftp(target, secret, report);
  if (details.length > 0) throw new InvalidRequest('The partner is not valid.', details);
}

function checkWebhook(text: string, secret: string | undefined, report: Report): void {
  const url = text.length <= 2048 ? URL.parse(text) : null;
  if (url === null) report('/target/url', 'must be a URL of at most 2048 characters');
  else {
    if (url.protocol !== 'https:' && url.protocol !== 'http:') {
      report('/target/url', 'must begin with https://');
    }
    if (url.username !== '' || url.password !== '') {
      report('/target/url', 'must not hold a user name or a password');
    }
    if (url.hash !== '') report('/target/url', 'must not have a fragment');
    if (!isPort(url.port)) report('/target/url', 'must name no port, or one above 1023');
  }
  if (secret === undefined) return;
  const key = secretPattern.exec(secret)?.groups?.['key'];
  const sizeBytes = key === undefined ? 0 : Buffer.from(key, 'base64').byteLength;
  if (sizeBytes < 24 || sizeBytes > 64) {
    report('/secret', 'must be whsec_ and the base64 of 24 to 64 random bytes');
  }
}

function isPort(port: string): boolean {
  // A URL does not write the default port of its protocol.
  return port === '' || Number(port) > 1023;
}

function checkEmail(to: readonly string[], secret: string | undefined, report: Report): void {
  if (to.length < 1 || to.length > maxRecipients) {
    report('/target/to', `must have 1 to ${maxRecipients} addresses`);
  }
  to.slice(0, maxRecipients).forEach((address, place) => {
    if (address.length > 254 || !addressPattern.test(address)) {
      report(`/target/to/${place}`, 'must be an address, such as rules@example.org');
    }
  });
  if (secret !== undefined) report('/secret', 'must be left out: email has none');
}

function checkSftp(
  target: Extract<PartnerTarget, { kind: 'sftp' }>,
  secret: string | undefined,
  report: Report,
): void {
  const { host, port, username, hostKey, folder } = target;
  if (!hostPattern.test(host)) report('/target/host', 'must be a host name or an IP address');
  if (!Number.isInteger(port) || (port !== 22 && (port < 1024 || port > 65_535))) {
    report('/target/port', 'must be 22, or from 1024 to 65535');
  }
  if (!/^[\x21-\x7e]{1,128}$/.test(username)) {
    report('/target/username', 'must be 1 to 128 printable characters without spaces');
  }
  if (!fingerprintPattern.test(hostKey)) {
    report('/target/hostKey', 'must be as `ssh-keygen -lf` prints it: SHA256: and 43 characters');
  }
  const isFolder = /^\/\P{Cc}{0,254}$/u.test(folder) && !folder.split('/').includes('..');
  if (!isFolder) report('/target/folder', 'must be an absolute path, such as /incoming');
  if (secret === undefined) return;
  if (secret === '' || Buffer.byteLength(secret) > maxSecretBytes || !secret.isWellFormed()) {
    report('/secret', 'must be a password or a private key, of 16 KiB at most');
  }
}
