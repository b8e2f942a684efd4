import { isObject } from './object.ts'
import type { SchemaFault } from '../schema/json-schema.ts'
import { typesOf, type Schema } from '../schema/shape.ts'
import { nodeAt, pointerTo, sourceOf, treeOf, type JsonNode } from './tree.ts'

/** A value that was put right. */
export interface Slip {
  /** JSON pointer to it. */
  path: string
  /** What stood there, as it was written. */
  was: string
  /** What stands there now; undefined when it was left out. */
  is: string | undefined
}

interface Edit extends Slip {
  node: JsonNode
}

const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/
const INTEGER = /^-?(?:0|[1-9]\d*)$/
/** A text with more slips than this is not mended. */
const MAX_SLIPS = 1000

/**
 * Mends what leaves no choice in a JSON text: `"20"` where only a number fits, `20` where only a text does, an object that was written as a text, one value
 * where only a list fits, the case of an enum, null for a key that may be left out. With `spare`, a key too many is left out, where every known key of its object is
 * there, so that it can't stand for one of them. The rest of the text stays as it was written, digit for digit. The result may still not fit: it is checked again.
 */
export function mendJson(text: string, faults: readonly SchemaFault[], { spare = false } = {}): { json: string; slips: Slip[] } {
  const tree = faults.length <= MAX_SLIPS ? treeOf(text) : undefined
  if (!tree) return { json: text, slips: [] }
  // A value may have several faults.
  const edits = new Map(faults.flatMap((fault) => editFor(tree, text, fault, spare) ?? []).map((edit) => [edit.node, edit]))
  return applyEdits(text, [...edits.values()])
}

function editFor(tree: JsonNode, text: string, fault: SchemaFault, spare: boolean): Edit | undefined {
  if (fault.keyword === 'additionalProperties') {
    const path = `${fault.path}${pointerTo([String(fault.params['additionalProperty'])])}`
    const node = spare && isSpare(fault) ? nodeAt(tree, path) : undefined
    return node && { path, node, was: sourceOf(text, node), is: undefined }
  }
  const node = nodeAt(tree, fault.path)
  if (!node) return undefined
  const was = sourceOf(text, node)
  const is = rawFor(fault, was)
  if (is !== undefined) return { path: fault.path, node, was, is }
  return fault.value === null && node.parent?.type === 'property' ? { path: fault.path, node, was, is } : undefined
}

function isSpare({ schema, value }: SchemaFault): boolean {
  if (!isObject(schema) || !isObject(value) || !isObject(schema['properties'])) return false
  return Object.keys(schema['properties']).every((key) => Object.hasOwn(value, key))
}

/** The JSON text that has to stand where `source` stands; undefined when there is none, or a choice. */
function rawFor({ keyword, params, value, schema }: SchemaFault, source: string): string | undefined {
  switch (keyword) {
    case 'enum':
      return sameButCase(value, listAt(schema, 'enum'))
    case 'const':
      return sameButCase(value, [params['allowedValue']])
    case 'type':
      return ofType([params['type']].flat().map(String), value, source)
    case 'anyOf':
    case 'oneOf': {
      const wanted = onlyAlternative(listAt(schema, keyword))
      if (!wanted) return undefined
      return 'enum' in wanted ? sameButCase(value, listAt(wanted, 'enum')) : ofType(typesOf(wanted), value, source)
    }
    default:
      return undefined
  }
}

/** The one alternative beside null. */
function onlyAlternative(choice: readonly unknown[]): Schema | undefined {
  const schemas = choice.filter(isObject).filter((one) => one['type'] !== 'null')
  return schemas.length === 1 && choice.length <= 2 ? schemas[0] : undefined
}

function ofType(wanted: readonly string[], value: unknown, source: string): string | undefined {
  const types = wanted.filter((type) => type !== 'null')
  const isNumeric = types.length > 0 && types.every((type) => type === 'integer' || type === 'number')
  switch (isNumeric ? 'number' : types.length === 1 ? types[0] : undefined) {
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

function listAt(schema: unknown, key: string): unknown[] {
  const values = isObject(schema) ? schema[key] : undefined
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

/** An edit inside of another one waits for the next round. */
function applyEdits(text: string, edits: readonly Edit[]): { json: string; slips: Slip[] } {
  const gone = new Set(edits.flatMap(({ node, is }) => (is === undefined && node.parent ? [node.parent] : [])))
  const objects = new Set([...gone].flatMap(({ parent }) => parent ?? []))
  const inPlace = edits.flatMap(({ node, is }) => (is === undefined ? [] : [{ node, raw: is }]))
  const rebuilt = [...objects].map((node) => ({ node, raw: withoutKeys(text, node, gone) }))
  const spans = [...inPlace, ...rebuilt].toSorted((a, b) => a.node.offset - b.node.offset || b.node.length - a.node.length)
  let json = ''
  let at = 0
  const done = new Set<JsonNode>()
  for (const { node, raw } of spans) {
    if (node.offset < at) continue
    json += text.slice(at, node.offset) + raw
    at = node.offset + node.length
    done.add(node)
  }
  const slips = edits.filter(({ node, is }) => done.has(node) || (is === undefined && node.parent?.parent && done.has(node.parent.parent)))
  return { json: json + text.slice(at), slips: slips.map(({ path, was, is }) => ({ path, was, is })) }
}

const withoutKeys = (text: string, { children = [] }: JsonNode, gone: ReadonlySet<JsonNode>): string =>
  `{${children
    .filter((property) => !gone.has(property))
    .map((property) => sourceOf(text, property))
    .join(', ')}}`
