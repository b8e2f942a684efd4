// Tools of our own beside those of the servers: endings, and a way to wait. They make no gateway request, so that neither the join nor the allow-list knows of them.
import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'
import type { ModelTool, ToolOutcome } from '../core/ports/toolbox.ts'
import { fieldOf, hasChoice, wrapSchema } from '../lib/schema/parameters.ts'
import type { Schema } from '../lib/schema/shape.ts'
import { readEndingOf, type ReadEnding } from '../core/rules/endings.ts'
import { ANSWER, INCOMPLETE, MAX_WAIT_SECONDS, NOTHING_NEW, ownMisfit, ownNotJson, WAIT, waited, WAIT_CUT } from '../core/words/endings.ts'
import { READ_RESULT } from '../core/words/reading.ts'
import { parseDigits } from '../lib/json/parse.ts'

export const BUILTIN_TOOLS: readonly ModelTool[] = [INCOMPLETE, NOTHING_NEW, WAIT, READ_RESULT]

const waitSchema = z.object({ seconds: z.int().min(1).max(MAX_WAIT_SECONDS) })

/** Reads a call as an ending; undefined when it is a call of another tool. */
export function readEnding(call: { name: string; arguments: string }): ReadEnding | undefined {
  const kind = call.name === INCOMPLETE.name ? 'incomplete' : call.name === NOTHING_NEW.name ? 'nothing-new' : undefined
  if (kind === undefined) return undefined
  const read = readArguments(call.arguments, z.unknown())
  if (!read.ok) return read
  const ending = readEndingOf(kind, read.value)
  return ending.ok ? ending : { ok: false, why: ownMisfit(ending.why) }
}

/** The tool that takes the answer of a job with `output.mode: tool`. */
export function answerTool(given: Schema): ModelTool {
  const { $schema: _, ...schema } = given
  return { ...ANSWER, parameters: isWrapped(schema) ? wrapSchema(schema, 'answer') : schema }
}

/** The JSON text of the answer in a call of that tool. */
export const answerIn = (text: string, schema: Schema): string => (isWrapped(schema) ? (fieldOf(text, 'answer') ?? text) : text)

/** Arguments are objects: any other value stands in one. */
const isWrapped = (schema: Schema) => schema['type'] !== 'object' || hasChoice(schema)

/** The arguments of a tool of ours, or why they are none. */
export function readArguments<T>(text: string, schema: z.ZodType<T>): { ok: true; value: T } | { ok: false; why: string } {
  let value: unknown
  try {
    value = parseDigits(text)
  } catch (error) {
    return { ok: false, why: ownNotJson(error instanceof Error ? error.message : String(error)) }
  }
  const parsed = schema.safeParse(value)
  if (parsed.success) return { ok: true, value: parsed.data }
  const [issue] = parsed.error.issues
  return { ok: false, why: ownMisfit(`/${issue?.path.join('/') ?? ''} ${issue?.message ?? ''}`) }
}

export const isWait = (name: string): boolean => name === WAIT.name

/** Waits as long as the model asks for, and no longer than until `until`, on the clock of `performance.now()`. What it gives back does not depend on the clock unless the deadline is near. */
export async function wait(text: string, until: number, signal: AbortSignal): Promise<ToolOutcome> {
  const read = readArguments(text, waitSchema)
  const told = (status: ToolOutcome['status'], shown: string, mistake = false): ToolOutcome => ({
    status,
    text: shown,
    truncated: false,
    failure: null,
    mistake,
  })
  if (!read.ok) return told('refused', read.why, true)
  const { seconds } = read.value
  const leftMs = until - performance.now()
  if (leftMs < seconds * 1000) return told('refused', WAIT_CUT)
  await sleep(seconds * 1000, undefined, { signal }).catch((error: unknown) => {
    signal.throwIfAborted()
    throw error
  })
  return told('ok', waited(seconds))
}
