import { compileSchema } from '../lib/json-schema.ts'

export type ParsedOutput = { ok: true; value: unknown } | { ok: false; why: string }

/** Reads a model's answer as JSON and checks it. A Markdown fence around it is removed; anything else around it is an error. */
export function parseOutput(text: string, schema: Record<string, unknown>): ParsedOutput {
  const body = /^\s*```(?:json)?\s*\n([\s\S]*?)\n\s*```\s*$/.exec(text)?.[1] ?? text
  let value: unknown
  try {
    value = JSON.parse(body)
  } catch (error) {
    return { ok: false, why: `it is not JSON (${error instanceof Error ? error.message : String(error)})` }
  }
  const fault = compileSchema(schema)(value)
  return fault === undefined ? { ok: true, value } : { ok: false, why: `it does not match the schema: ${fault}` }
}
