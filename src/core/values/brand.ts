declare const brand: unique symbol;

/** A string that passed one parser, and so is not just any string. */
export type Brand<Name extends string> = string & { readonly [brand]: Name };
