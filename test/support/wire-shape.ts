type AnyJson = null | boolean | number | string | AnyJson[] | { [name: string]: AnyJson };

/** A type as it goes over the wire: `readonly` makes no difference there, and any JSON is as good. */
export type WireShape<T> = [AnyJson] extends [T]
  ? 'any JSON'
  : T extends readonly (infer Item)[]
    ? WireShape<Item>[]
    : T extends object
      ? { -readonly [Name in keyof T]: WireShape<T[Name]> }
      : T;
