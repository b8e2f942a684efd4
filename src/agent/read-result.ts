import { z } from 'zod'
import { readAside } from '../core/rules/reading/aside.ts'
import type { ToolOutcome } from '../core/ports/toolbox.ts'
import { READ_RESULT, RESULT_GONE, unknownResult } from '../core/words/reading.ts'
import { readArguments } from './builtins.ts'
import type { Results } from './results.ts'

const MAX_TEXT = 2000

const readSchema = z.object({
  id: z.string(),
  line: z.int().min(1).nullish(),
  offset: z.int().min(0).nullish(),
  count: z.int().min(1).nullish(),
  path: z.string().max(MAX_TEXT).nullish(),
  search: z.string().max(MAX_TEXT).nullish(),
  ignoreCase: z.boolean().nullish(),
  context: z.int().min(0).max(20).nullish(),
})

export const isRead = (name: string): boolean => name === READ_RESULT.name

/** Reads a part of a result of this conversation. What it gives follows from the result and the arguments alone. */
export async function readResult(text: string, results: Results, resultBytes: number): Promise<ToolOutcome> {
  const told = (status: ToolOutcome['status'], shown: string): ToolOutcome => ({
    status,
    text: shown,
    truncated: false,
    failure: null,
    mistake: status === 'refused',
  })
  const read = readArguments(text, readSchema)
  if (!read.ok) return told('refused', read.why)
  const { id } = read.value
  if (!results.has(id)) return told('refused', unknownResult(id, results.ids()))
  const whole = await results.read(id)
  if (whole === undefined) return told('error', RESULT_GONE)
  const page = await readAside(whole, read.value, resultBytes)
  return page.ok ? told('ok', page.text) : told('error', page.why)
}
