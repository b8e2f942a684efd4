import { z } from 'zod'
import type { TurnItem } from '../../run.ts'

/** What was put aside since the turn before, as it stands in the row of a turn: a replay puts aside just that. */
export interface TurnContext {
  /** Ids of results whose bodies became stubs. */
  aside?: string[] | undefined
  /** Of a turn that is a summary: how many exchanges of the conversation it stands for, from the first on. Its notes are its items. */
  summary?: { of: number } | undefined
  /** The window in tokens, where the provider said it, or less than what it refused. */
  window?: number | undefined
  /** Of a hosted answer: how often its provider compacted what was said and read. */
  compacted?: number | undefined
  /** Of a hosted answer whose provider leaves out what does not fit: how many tokens were to be read, and how many fit. */
  leftOut?: { tokens: number; of: number } | undefined
}

const schema = z.object({
  aside: z.array(z.string()).optional(),
  summary: z.object({ of: z.int().min(0) }).optional(),
  window: z.number().positive().optional(),
  compacted: z.int().min(0).optional(),
  leftOut: z.object({ tokens: z.number(), of: z.number() }).optional(),
})

/** The column of a turn; what no version of ours wrote is nothing. */
export function readTurnContext(context: unknown): TurnContext {
  const read = schema.safeParse(context ?? {})
  return read.success ? read.data : {}
}

const OWN = 'nightshift'
const notesSchema = z.object({ notes: z.string() })

/** Notes as the item of a summary. No provider is told it as it stands, and a version that does not know it sees no words in it: it is no answer. */
export const notesItem = (notes: string): TurnItem => ({ type: 'reasoning', raw: { notes }, from: OWN })

/** The notes of a summary; undefined where there are none. */
export function notesIn(items: readonly TurnItem[]): string | undefined {
  return items
    .flatMap((item) => (item.type === 'reasoning' && item.from === OWN ? [notesSchema.safeParse(item.raw)] : []))
    .flatMap((read) => (read.success ? [read.data.notes] : []))[0]
}
