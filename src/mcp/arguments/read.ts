import { messageOf } from '../../core/failure.ts'
import { argumentFaults, notAnObject, notJson } from '../../core/words/mistakes.ts'
import { compileSchema, type SchemaFault } from '../../lib/json-schema.ts'
import { isSchema, type Schema } from '../../lib/schema/shape.ts'
import type { OfferedInput } from '../tools/input-schema.ts'
import { parseExact } from './exact.ts'
import { mendArguments, nodeAt, treeOf } from './mend.ts'

export type ReadArguments = { ok: true; arguments: SentArguments } | { ok: false; why: string }

/** Arguments as they go to the server. */
export interface SentArguments {
  /** As the model wrote them, digit for digit, where nothing had to be mended. */
  json: string
  /** The same for the journal. */
  value: unknown
}

/** Most rounds of mending: what was packed into a text may hold another slip. */
const MAX_ROUNDS = 3

/**
 * Reads what the model wrote as the arguments of a tool; no text, or null, is no arguments. What leaves no choice is mended; else it is said what is wrong, with
 * the whole schema when `again`.
 */
export function readArguments(tool: { name: string; input: OfferedInput }, written: string, again: boolean): ReadArguments {
  const text = written.trim()
  const json = text === '' || text === 'null' ? '{}' : text
  let value: unknown
  try {
    value = JSON.parse(json)
  } catch (error) {
    return { ok: false, why: notJson(messageOf(error)) }
  }
  if (typeof value === 'string' && value.trim().startsWith('{')) return readArguments(tool, value, again)
  if (!isSchema(value)) return { ok: false, why: notAnObject(value) }
  const { schema, parameters, wrapped } = tool.input
  const inner = wrapped && 'input' in value ? innerOf(json) : undefined
  const wanted = inner === undefined ? undefined : fit(schema, inner)
  if (wanted?.ok === true) return wanted
  const plain = fit(schema, json)
  if (plain.ok) return plain
  const isInner = wanted !== undefined && wanted.faults.length > 0
  const { faults } = isInner ? wanted : plain
  const shown = isInner ? faults.map((fault) => ({ ...fault, path: `/input${fault.path}` })) : faults
  return { ok: false, why: argumentFaults(tool.name, shown, again ? parameters : schema, again) }
}

/** The text of `input`, which stands around arguments that providers do not take at the root; an object that was packed into a text is unpacked. */
function innerOf(json: string): string | undefined {
  const tree = treeOf(json)
  const node = tree && nodeAt(tree, '/input')
  if (!node) return undefined
  if (node.type === 'string') return String(node.value).trim()
  return json.slice(node.offset, node.offset + node.length)
}

function fit(schema: Schema, json: string): { ok: true; arguments: SentArguments } | { ok: false; faults: SchemaFault[] } {
  const first = check(schema, json)
  if (first.ok) return first
  let text = json
  let { faults } = first
  for (let round = 0; round < MAX_ROUNDS; round++) {
    const mended = mendArguments(text, faults)
    if (mended === text) break
    const next = check(schema, mended)
    if (next.ok) return next
    text = mended
    faults = next.faults
  }
  return first
}

/** A schema that cannot be compiled cannot be checked here; the server checks its own. */
function check(schema: Schema, json: string): { ok: true; arguments: SentArguments } | { ok: false; faults: SchemaFault[] } {
  let value: unknown
  try {
    value = JSON.parse(json)
  } catch {
    return { ok: false, faults: [] }
  }
  if (!isSchema(value)) return { ok: false, faults: [] }
  let faults: SchemaFault[] = []
  try {
    faults = compileSchema(schema, { foreign: true }).faults(value)
  } catch {
    faults = []
  }
  return faults.length === 0 ? { ok: true, arguments: { json, value: parseExact(json) } } : { ok: false, faults }
}
