// @ts-nocheck
import { messageOf } from '../core/failure.ts'
import { compileSchema } from '../lib/json-schema.ts'
import type { ListedTool } from './tools.ts'

export type ParsedArguments = { ok: true; value: Record<string, unknown> } | { ok: false; why: string }

/** Reads what the model wrote as the arguments of a tool; no text is no arguments. */
export function parseArguments(tool: ListedTool, text: string): ParsedArguments {
  let value: unknown
  try {
    value = text.trim() === '' ? {} : JSON.parse(text)
  } catch (error) {
    return { ok: false, why: `The arguments are not valid JSON: ${messageOf(error)}.` }
  }
  if (!isRecord(value)) return { ok: false, why: 'The arguments must be a JSON object.' }
  const fault = check(tool, value)
  return fault === undefined ? { ok: true, value } : { ok: false, why: `The arguments do not fit the tool: ${fault}.` }
}

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value)

/** A schema that cannot be compiled cannot be checked here; the server checks its own. */
function check(tool: ListedTool, value: unknown): string | undefined {
  try {
    return compileSchema(tool.inputSchema, { foreign: true })(value)
  } catch {
    return undefined
  }
}
