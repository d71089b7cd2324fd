import type { Json } from '../../../src/core/values/json.ts';

/** A FeatureCollection of points with these names, in a row to the east. */
export function pointsNamed(...names: readonly string[]): Json {
  return {
    type: 'FeatureCollection',
    features: names.map((name, index) => ({
      type: 'Feature',
      properties: { name },
      geometry: { type: 'Point', coordinates: [-98.2 + index / 1000, 38.5] },
    })),
  };
}

export function bytesOf(document: Json): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(JSON.stringify(document));
}
