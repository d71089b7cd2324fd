/** All that a port's methods have in common: they answer with a promise. */
type Port<P> = { readonly [M in keyof P]: (...args: never[]) => Promise<unknown> };

/** A port that is loaded by the first call of one of its methods: most cold starts never make one. */
export function lazyPort<P extends Port<P>>(
  methods: readonly (keyof P & string)[],
  load: () => Promise<P>,
): P {
  let loading: Promise<P> | undefined;
  const call =
    (method: keyof P) =>
    async (...args: never[]) =>
      (await (loading ??= load()))[method](...args);
  return Object.fromEntries(methods.map((method) => [method, call(method)])) as unknown as P;
}
