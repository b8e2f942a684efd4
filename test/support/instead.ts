/** The same object with another value under one name. */
export const withInstead = <T extends object>(target: T, name: string, value: unknown): T =>
  new Proxy(target, {
    get(_, key) {
      const own: unknown = Reflect.get(target, key, target)
      return key === name ? value : typeof own === 'function' ? own.bind(target) : own
    },
  })
