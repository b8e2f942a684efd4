import { isMap, isScalar, type YAMLMap, type YAMLSeq } from 'yaml'

/** A name that can be a key, and be shown: it is read as it is written, before anything was put in for a variable. */
const NAME = /^[\w.-]{1,40}$/

/** What makes a list the mapping that is wanted, shown with the first entry of the list. */
export function nameEntries({ items: [first] }: YAMLSeq): string {
  const written = isMap(first) ? asNamed(first) : undefined
  return `; ${written ?? 'give each entry a name of its own, as in <name>: { … }, in the place of its dash'}`
}

function asNamed({ items }: YAMLMap): string | undefined {
  const keys = items.map(({ key }) => (isScalar(key) ? String(key.value) : ''))
  const at = keys.findIndex((key) => key === 'name' || key === 'id')
  const [only = ''] = keys
  if (at < 0)
    return keys.length === 1 && NAME.test(only) ? `write ${only}: without the dash before it, and each other entry too` : undefined
  const value = items[at]?.value
  const name = isScalar(value) ? (value.source ?? '') : ''
  if (!NAME.test(name)) return undefined
  const others = keys.filter((_, one) => one !== at).slice(0, 1)
  const short = (before: readonly string[]) => `{ ${[...before, ...others.map((key) => `${key}: …`)].join(', ')} }`
  return `write ${name}: ${short([])} for - ${short([`${keys[at]}: ${name}`])}, and each other entry in the same way`
}
