import { AppError } from '../core/errors/app-error.ts';

interface Wish {
  /** 0 to 1; 0 for what is not wanted. */
  readonly quality: number;
  /** Named by its own type, not by a wildcard. */
  readonly named: boolean;
}

/**
 * As what a caller would rather have a snapshot, by its `Accept` header (RFC 9110, 12.5.1). Where
 * it makes no difference between the two: the package if that alone is named, else JSON.
 */
export function packageForm(accept: string): 'json' | 'zip' {
  const ranges = accept.split(',', 50).map(parseRange);
  const json = wishFor('application/json', ranges);
  const zip = wishFor('application/zip', ranges);
  if (json.quality === 0 && zip.quality === 0) {
    throw new AppError('not_acceptable', 'A snapshot is application/json or application/zip.');
  }
  if (zip.quality === json.quality) return zip.named && !json.named ? 'zip' : 'json';
  return zip.quality > json.quality ? 'zip' : 'json';
}

/** The most specific range decides. */
function wishFor(type: string, ranges: readonly (readonly [string, number])[]): Wish {
  for (const range of [type, 'application/*', '*/*']) {
    const found = ranges.find(([each]) => each === range);
    if (found !== undefined) return { quality: found[1], named: range === type };
  }
  return { quality: 0, named: false };
}

function parseRange(text: string): readonly [string, number] {
  const [type = '', ...parameters] = text.split(';').map((part) => part.trim().toLowerCase());
  const given = parameters.find((parameter) => parameter.startsWith('q='))?.slice(2);
  const quality = given === undefined ? 1 : Number(given);
  return [type, quality >= 0 && quality <= 1 ? quality : 0];
}
