import { applyEdits, modify, parseTree, type Node } from 'jsonc-parser'
import type { SchemaFault } from '../../lib/json-schema.ts'

const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/
const INTEGER = /^-?(?:0|[1-9]\d*)$/

/**
 * Mends what leaves no choice in the JSON text of arguments: `"20"` where only a number fits, `20` where only a text does, an object that was written as a text, one value
 * where only a list fits, the case of an enum, null for a key that may be left out. The rest of the text stays as it was written, digit for digit. The result may
 * still not fit: it is checked again.
 */
export function mendArguments(text: string, faults: readonly SchemaFault[]): string {
  let mended = text
  for (const fault of faults) {
    const tree = treeOf(mended)
    const node = tree && nodeAt(tree, fault.path)
    if (!tree || !node) continue
    const raw = rawFor(fault, mended.slice(node.offset, node.offset + node.length))
    if (raw !== undefined) mended = mended.slice(0, node.offset) + raw + mended.slice(node.offset + node.length)
    else if (fault.value === null && node.parent?.type === 'property') mended = withoutKey(mended, node)
  }
  return mended
}

/** The JSON text that has to stand where `source` stands; undefined when there is none, or a choice. */
function rawFor({ keyword, params, value, schema }: SchemaFault, source: string): string | undefined {
  if (keyword === 'enum') return sameButCase(value, enumOf(schema))
  if (keyword === 'const') return sameButCase(value, [params['allowedValue']])
  if (keyword !== 'type') return undefined
  const types = [params['type']].flat().filter((type) => type !== 'null')
  const only = types.every((type) => type === 'integer' || type === 'number') ? 'number' : types.length === 1 ? types[0] : undefined
  switch (only) {
    case 'number':
      return typeof value === 'string' && (types.includes('number') ? NUMBER : INTEGER).test(value.trim()) ? value.trim() : undefined
    case 'boolean':
      return typeof value === 'string' && /^(?:true|false)$/i.test(value.trim()) ? value.trim().toLowerCase() : undefined
    case 'string':
      return typeof value === 'number' || typeof value === 'boolean' ? JSON.stringify(source) : undefined
    case 'object':
      return textOf(value, '{')
    case 'array':
      return textOf(value, '[') ?? (value === null || Array.isArray(value) ? undefined : `[${source}]`)
    default:
      return undefined
  }
}

const enumOf = (schema: unknown): unknown[] => {
  const values: unknown = typeof schema === 'object' && schema !== null ? Reflect.get(schema, 'enum') : undefined
  return Array.isArray(values) ? values : []
}

function sameButCase(value: unknown, wanted: readonly unknown[]): string | undefined {
  if (typeof value !== 'string') return undefined
  const same = wanted.filter((one) => typeof one === 'string' && one.toLowerCase() === value.trim().toLowerCase())
  return same.length === 1 ? JSON.stringify(same[0]) : undefined
}

/** JSON that was written into a text: the model packed it twice. */
function textOf(value: unknown, begins: '{' | '['): string | undefined {
  if (typeof value !== 'string' || !value.trim().startsWith(begins)) return undefined
  try {
    JSON.parse(value)
    return value.trim()
  } catch {
    return undefined
  }
}

/** Where each value of a JSON text stands; undefined when it is nested too deep to be walked. */
export function treeOf(json: string): Node | undefined {
  try {
    return parseTree(json)
  } catch {
    return undefined
  }
}

/** The node that a JSON pointer names. Of a key that stands there twice, the last, as everywhere. */
export function nodeAt(tree: Node, pointer: string): Node | undefined {
  let at: Node | undefined = tree
  for (const part of pointer.split('/').slice(1)) {
    const key = part.replaceAll('~1', '/').replaceAll('~0', '~')
    if (at?.type === 'array') at = at.children?.[Number(key)]
    else at = at?.children?.findLast(({ children }) => children?.[0]?.value === key)?.children?.[1]
  }
  return at
}

function withoutKey(text: string, node: Node): string {
  const path: (string | number)[] = []
  for (let at: Node | undefined = node; at?.parent; at = at.parent) {
    if (at.parent.type === 'property') path.unshift(String(at.parent.children?.[0]?.value))
    else if (at.parent.type === 'array') path.unshift(at.parent.children?.indexOf(at) ?? 0)
  }
  return applyEdits(text, modify(text, path, undefined, {}))
}
