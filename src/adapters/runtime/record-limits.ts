import type { RecordKey, RecordQuery, RecordWrite } from '../../ports/record-store.ts';

const maxKeyPartBytes = 1024;
const maxValueBytes = 350 * 1024;
/** Leaves room for keys in the 4 MB that DynamoDB takes in a transaction. */
const maxCommitBytes = 3.5 * 1024 * 1024;
const maxKeysRead = 100;
const maxWrites = 100;
const maxQueryLimit = 1000;

/** Lone surrogates have no UTF-8 form: two keys would become one. */
const notInKeys = /[\p{Cc}\p{Cs}]/u;

/**
 * The limits of the RecordStore port, one and the same for every adapter. A breach is a defect of
 * the caller: `RangeError`, or `TypeError` for a value that JSON cannot hold.
 */
export function checkKey(key: RecordKey): void {
  checkKeyPart('partition', key.partition);
  checkKeyPart('sort', key.sort);
}

export function checkKeys(keys: readonly RecordKey[]): void {
  if (keys.length > maxKeysRead) {
    throw new RangeError(`getMany takes up to ${maxKeysRead} keys, not ${keys.length}`);
  }
  checkDistinct(keys);
}

export function checkQuery(query: RecordQuery): void {
  checkKeyPart('partition', query.partition);
  if (query.prefix) checkKeyPart('prefix', query.prefix);
  if (query.after !== undefined) checkKeyPart('after', query.after);
  if (query.until !== undefined) checkKeyPart('until', query.until);
  if (!Number.isInteger(query.limit) || query.limit < 1 || query.limit > maxQueryLimit) {
    throw new RangeError(`limit is a whole number from 1 to ${maxQueryLimit}, not ${query.limit}`);
  }
}

/** Checks a commit, and answers the JSON text of each put, at the index of its write. */
export function encodeCommit(writes: readonly RecordWrite[], token: string): (string | null)[] {
  if (token === '') throw new RangeError('a commit needs a token');
  if (writes.length < 1 || writes.length > maxWrites) {
    throw new RangeError(`a commit has 1 to ${maxWrites} writes, not ${writes.length}`);
  }
  checkDistinct(writes.map((write) => write.key));
  let commitBytes = 0;
  return writes.map((write) => {
    checkExpectation(write);
    if (write.kind !== 'put') return null;
    if (write.expiresAtMs !== undefined && !Number.isSafeInteger(write.expiresAtMs)) {
      throw new RangeError(`expiresAtMs is a whole number of ms, not ${write.expiresAtMs}`);
    }
    const json = encodeValue(write.value);
    commitBytes += Buffer.byteLength(json);
    if (commitBytes > maxCommitBytes) {
      throw new RangeError(`the values of a commit have at most ${maxCommitBytes} bytes together`);
    }
    return json;
  });
}

function checkKeyPart(name: string, part: string): void {
  const tooLong = part.length > maxKeyPartBytes || Buffer.byteLength(part) > maxKeyPartBytes;
  if (part === '' || tooLong) {
    throw new RangeError(`${name} has 1 to ${maxKeyPartBytes} bytes`);
  }
  if (notInKeys.test(part)) {
    throw new RangeError(`${name} holds a control character or half a surrogate pair`);
  }
}

function checkDistinct(keys: readonly RecordKey[]): void {
  const seen = new Set<string>();
  for (const key of keys) {
    checkKey(key);
    seen.add(`${key.partition}\n${key.sort}`);
  }
  if (seen.size < keys.length) throw new RangeError('a key is named twice');
}

function checkExpectation(write: RecordWrite): void {
  const { expect } = write;
  if (expect === 'absent' && write.kind !== 'delete') return;
  if (typeof expect !== 'number' || !Number.isSafeInteger(expect) || expect < 1) {
    throw new RangeError(`expect is 'absent' or a rev, not ${String(expect)}`);
  }
}

function encodeValue(value: unknown): string {
  const json = JSON.stringify(value) as string | undefined;
  if (json === undefined) throw new TypeError('a value that JSON cannot hold');
  if (json.length > maxValueBytes || Buffer.byteLength(json) > maxValueBytes) {
    throw new RangeError(`a value has at most ${maxValueBytes} bytes as JSON`);
  }
  return json;
}
