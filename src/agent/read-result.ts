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

/** The result that a call reads; undefined for arguments that are none. */
export function readIdOf(text: string): string | undefined {
  const read = readArguments(text, readSchema)
  return read.ok ? read.value.id : undefined
}

/** It is read from its beginning, as one asks for it that was put aside. */
const isFromBeginning = ({ line, offset, path, search }: z.output<typeof readSchema>) =>
  (line ?? 1) === 1 && (offset ?? 0) === 0 && (path ?? '') === '' && (search ?? '') === ''

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
  if (!page.ok) return told('error', page.why)
  const images = isFromBeginning(read.value) ? [...results.imagesOf(id)] : []
  return { ...told('ok', page.text), ...(images.length > 0 && { images }) }
}
