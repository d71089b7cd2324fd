/** One signature of an envelope. */
export interface DsseSignature {
  /** Names the key to look for; not signed, and believed in nothing. */
  readonly keyid: string;
  /** Base64. */
  readonly sig: string;
}

/** A DSSE envelope (https://github.com/secure-systems-lab/dsse, envelope.md), as JSON. */
export interface DsseEnvelope {
  readonly payloadType: string;
  /** Base64. */
  readonly payload: string;
  readonly signatures: readonly DsseSignature[];
}

/** Of an in-toto statement. */
export const statementType = 'application/vnd.in-toto+json';

const maxSignatures = 64;

/** What is signed: the pre-authentication encoding (DSSE protocol.md), with lengths in bytes. */
export function preAuthEncoding(payloadType: string, payload: Uint8Array): Buffer {
  const type = Buffer.from(payloadType, 'utf8');
  const head = `DSSEv1 ${type.length} ${payloadType} ${payload.byteLength} `;
  return Buffer.concat([Buffer.from(head, 'utf8'), payload]);
}

/** The one text of an envelope that we write, and take. */
export function envelopeText({ payloadType, payload, signatures }: DsseEnvelope): string {
  const plain = signatures.map(({ keyid, sig }) => ({ keyid, sig }));
  return `${JSON.stringify({ payloadType, payload, signatures: plain }, undefined, 2)}\n`;
}

/** Undefined for anything else, and for what is not written as `envelopeText` has it. */
export function parseEnvelope(text: string): DsseEnvelope | undefined {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    return undefined;
  }
  const { payloadType, payload, signatures } = (parsed ?? {}) as Partial<DsseEnvelope>;
  if (typeof payloadType !== 'string' || !isBase64(payload)) return undefined;
  if (!Array.isArray(signatures) || signatures.length > maxSignatures) return undefined;
  if (!signatures.every(isSignature)) return undefined;
  const envelope = { payloadType, payload, signatures };
  return envelopeText(envelope) === text ? envelope : undefined;
}

function isSignature(value: unknown): value is DsseSignature {
  const { keyid, sig } = (value ?? {}) as Partial<DsseSignature>;
  return typeof keyid === 'string' && isBase64(sig);
}

/** In its only form: two texts for the same bytes would be two names for one thing. */
function isBase64(value: unknown): value is string {
  return typeof value === 'string' && Buffer.from(value, 'base64').toString('base64') === value;
}
