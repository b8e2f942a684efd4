import type { Ajv, SchemaValidateFunction } from 'ajv'

/** In place of the library's own `uniqueItems`, which compares each item with each: equal ones are found by their text, in linear time. */
export const addUniqueItems = (ajv: Ajv): Ajv =>
  ajv.removeKeyword('uniqueItems').addKeyword({ keyword: 'uniqueItems', type: 'array', schemaType: 'boolean', errors: true, validate })

const validate: SchemaValidateFunction = (isWanted: boolean, items: readonly unknown[]) => {
  if (!isWanted) return true
  const seen = new Map<string, number>()
  for (const [i, item] of items.entries()) {
    const text = textOf(item)
    const j = seen.get(text)
    if (j !== undefined) {
      const message = `must NOT have duplicate items (items ## ${j} and ${i} are identical)`
      validate.errors = [{ keyword: 'uniqueItems', params: { i, j }, message }]
      return false
    }
    seen.set(text, i)
  }
  return true
}

/** The same for values that are equal as JSON, whatever the order of their names. */
const textOf = (value: unknown): string =>
  JSON.stringify(value, (_, part: unknown) =>
    typeof part === 'object' && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  )
