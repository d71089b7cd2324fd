/** The same object, but calls of the methods that `methods` has as keys go through `run`. */
export function interceptMethods<Port extends object, Method extends string & keyof Port>(
  port: Port,
  methods: Readonly<Record<Method, unknown>>,
  run: (method: Method, args: readonly unknown[], call: () => unknown) => unknown,
): Port {
  const isMethod = (name: PropertyKey): name is Method => Object.hasOwn(methods, name);
  return new Proxy(port, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name, target);
      if (typeof member !== 'function') return member;
      const call = (...args: unknown[]): unknown => Reflect.apply(member, target, args);
      return isMethod(name) ? (...args: unknown[]) => run(name, args, () => call(...args)) : call;
    },
  });
}
