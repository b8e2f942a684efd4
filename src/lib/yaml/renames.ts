import { isAlias, isMap, isScalar, type Document, type Scalar, type YAMLMap } from 'yaml'

/** A key that was found under its earlier name. */
export interface Rename {
  node: Scalar
  /** Dotted path with the earlier name. */
  field: string
  /** The name it has now. */
  name: string
  /** Both names are there. */
  clash: boolean
}

/**
 * Gives keys with earlier names those that they have now. `renamed` maps dotted paths, in which `*` is any key, to the new last part. A key
 * whose new name is there too stays as it is.
 */
export function renameKeys(document: Document, renamed: Readonly<Record<string, string>>): Rename[] {
  const found: Rename[] = []
  const walk = (node: unknown, parts: readonly string[], above: readonly string[], name: string) => {
    const map = isAlias(node) ? node.resolve(document) : node
    const [part, ...rest] = parts
    if (!isMap(map) || part === undefined) return
    for (const { key, value } of map.items) {
      if (!isScalar(key) || typeof key.value !== 'string' || (part !== '*' && key.value !== part)) continue
      const path = [...above, key.value]
      if (rest.length > 0) {
        walk(value, rest, path, name)
        continue
      }
      const clash = has(map, name)
      found.push({ node: key, field: path.join('.'), name, clash })
      if (!clash) key.value = name
    }
  }
  for (const [path, name] of Object.entries(renamed)) walk(document.contents, path.split('.'), [], name)
  return found
}

const has = (map: YAMLMap, name: string) => map.items.some(({ key }) => isScalar(key) && key.value === name)
