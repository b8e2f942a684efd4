/** The parameters of one statement, each numbered where it is named, so that no one has to count them. */
// @ts-nocheck

export interface Parameters {
  /** Adds a value and returns its placeholder, such as `$3`. */
  add: (value: unknown) => string
  values: unknown[]
}

export function createParameters(): Parameters {
  const values: unknown[] = []
  return { add: (value) => `$${values.push(value)}`, values }
}

/** A value for a json column: null when there is none. */
export const jsonOrNull = (value: unknown): string | null => (value === null || value === undefined ? null : JSON.stringify(value))
