// What of a result is shown, and what is kept beside it: one that is too large to be shown is kept whole, so that the model can read it.
import { cutMiddle } from '../../../lib/text.ts'
import type { KeptText, PartialSign } from '../../run.ts'
import type { CallJournal } from '../../ports/journal.ts'
import { partlyShown } from '../../words/reading.ts'
import { endsOf, type Showing } from '../../words/results.ts'
import { lookAside } from './aside.ts'

export interface Keeping extends Showing {
  /** Most bytes that are kept of a result. */
  keptBytes: number
  /** The model has a tool to read what is kept. */
  canRead: boolean
}

/** What is to be kept of a result, without secrets. */
export interface ToKeep {
  text: string
  whole: boolean
  rest: PartialSign | null
}

export interface Shown {
  text: string
  /** It is not all of the result. */
  truncated: boolean
  keep?: ToKeep
}

/** The text that is shown of a result, well-formed and without secrets, and what is kept of one that is larger than that. Without an id it is shown to nobody who could read on. */
export async function keepResult(
  id: string | undefined,
  result: string,
  { resultBytes, keptBytes, canRead, redact }: Keeping,
): Promise<Shown> {
  const all = redact(result.toWellFormed())
  const ends = cutMiddle(all, resultBytes)
  if (!ends) return { text: all, truncated: false }
  const most = cutMiddle(all, Math.max(keptBytes, resultBytes))
  const missing = (cut: typeof ends) => cut.bytes - Buffer.byteLength(cut.head) - Buffer.byteLength(cut.tail)
  const text = most ? endsOf({ ...most, missing: missing(most) }) : all
  const { head, tail, bytes } = ends
  const whole = most === undefined
  const { shape, rest } = await lookAside(text)
  const shown = { head, tail, bytes, missing: missing(ends) }
  return {
    text: id === undefined ? endsOf(shown) : partlyShown({ ...shown, id, shape, whole, canRead }),
    truncated: true,
    keep: { text, whole, rest },
  }
}

/** Keeps what does not stand in the row of a call, before that row names it. */
export async function keepText(journal: Pick<CallJournal, 'keepContent'>, keep: ToKeep | undefined): Promise<KeptText | undefined> {
  if (!keep) return undefined
  const { text, whole, rest } = keep
  return { ...(await journal.keepContent({ content: Buffer.from(text), mediaType: 'text/plain' })), whole, rest }
}

/** Whether a model could not have read all of a result. `canRead`: it reads what is kept, or was given all of it by somebody else. */
export const isUnreadable = (
  { truncated, kept }: { truncated: boolean; kept?: { whole: boolean } | undefined },
  canRead: boolean,
): boolean => truncated && !(canRead && kept?.whole === true)
