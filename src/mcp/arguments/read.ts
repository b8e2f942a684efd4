import { isObject } from '../../lib/json/object.ts'
import { messageOf } from '../../core/failure.ts'
import { argumentFaults, notAnObject, notJson } from '../../core/words/mistakes.ts'
import { compileSchema, type SchemaFault } from '../../lib/schema/json-schema.ts'
import { parseDigits, parseKept, tryParse } from '../../lib/json/parse.ts'
import { fitJson, type Fit } from '../../lib/json/fit.ts'
import { fieldOf } from '../../lib/schema/parameters.ts'
import type { Schema } from '../../lib/schema/shape.ts'
import type { OfferedInput } from '../tools/input-schema.ts'

export type ReadArguments = { ok: true; arguments: SentArguments } | { ok: false; why: string }

/** Arguments as they go to the server. */
export interface SentArguments {
  /** As the model wrote them, digit for digit, where nothing had to be mended. */
  json: string
  /** The same for the journal: the text itself where a value would hold another number. */
  value: unknown
}

/**
 * Reads what the model wrote as the arguments of a tool; no text, or null, is no arguments. What leaves no choice is mended; else it is said what is wrong, with
 * the whole schema when `again`.
 */
export function readArguments(tool: { name: string; input: OfferedInput }, written: string, again: boolean): ReadArguments {
  const text = written.trim()
  const json = text === '' || text === 'null' ? '{}' : text
  let value: unknown
  try {
    value = parseDigits(json)
  } catch (error) {
    return { ok: false, why: notJson(messageOf(error)) }
  }
  if (typeof value === 'string' && value.trim().startsWith('{')) return readArguments(tool, value, again)
  if (!isObject(value)) return { ok: false, why: notAnObject(value) }
  const { schema, parameters, wrapped } = tool.input
  const inner = wrapped && 'input' in value ? unpacked(fieldOf(json, 'input')) : undefined
  const wanted = inner === undefined ? undefined : fit(schema, inner)
  if (wanted?.ok === true) return wanted
  const plain = fit(schema, json)
  if (plain.ok) return plain
  const isInner = wanted !== undefined && wanted.faults.length > 0
  const { faults } = isInner ? wanted : plain
  const shown = isInner ? faults.map((fault) => ({ ...fault, path: `/input${fault.path}` })) : faults
  return { ok: false, why: argumentFaults(tool.name, shown, again ? parameters : schema, again) }
}

/** An object that was packed into a text. */
function unpacked(json: string | undefined): string | undefined {
  const value: unknown = json?.startsWith('"') ? parseDigits(json) : undefined
  return typeof value === 'string' ? value.trim() : json
}

/** A schema that cannot be compiled cannot be checked here; the server checks its own. */
function fit(schema: Schema, json: string): { ok: true; arguments: SentArguments } | { ok: false; faults: SchemaFault[] } {
  if (!isJsonObject(json)) return { ok: false, faults: [] }
  let fitted: Fit = { ok: true, json, value: undefined, slips: [] }
  try {
    fitted = fitJson(compileSchema(schema), json)
  } catch {
    // As it was written.
  }
  if (!fitted.ok) return fitted
  return isJsonObject(fitted.json)
    ? { ok: true, arguments: { json: fitted.json, value: parseKept(fitted.json) } }
    : { ok: false, faults: [] }
}

const isJsonObject = (json: string): boolean => isObject(tryParse(json, parseDigits))
