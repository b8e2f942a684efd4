import { z } from 'zod'
import type { Db } from '../../../store/postgres/db.ts'
import { countLinesBelow, loadLines, oldestLine, type TextRow } from '../../../store/audit/signed-rows.ts'
import { digestLines, type SignedLines } from '../rules/rows.ts'
import type { Verifying } from './verdict.ts'

const linesSchema = z.array(
  z.strictObject({
    after: z.int(),
    to: z.int(),
    count: z.int(),
    oldest: z.string(),
    newest: z.string().optional(),
    digest: z.string(),
  }),
)

/** The pieces of the log that a checkpoint lists; undefined when they do not have the form of any. */
export const readPieces = (lines: unknown): SignedLines[] | undefined => linesSchema.safeParse(lines).data

/**
 * Lines that are gone were removed by retention where it is known to have been set so; where a checkpoint of before does not say how it was set, while none that is as
 * old is there.
 */
export async function verifyLines(
  { number, piece, isOfNow: isKeepKnown }: { number: number; piece: SignedLines; isOfNow: boolean },
  { db, removals, verdict }: Verifying,
): Promise<void> {
  const { after, to, count, oldest, newest } = piece
  verdict.lines += count
  const found = await loadLines(db, { after, to })
  if (found.length === count && digestLines(after, found).digest === piece.digest) return
  const isWithin = ({ time }: TextRow) =>
    newest === undefined || (new Date(time ?? '') >= new Date(oldest) && new Date(time ?? '') <= new Date(newest))
  const isOld = isKeepKnown ? removals.log(new Date(oldest)) : await isOldest(db, to, oldest)
  const isGone = found.length < count && found.every(isWithin) && isOld
  if (isGone) verdict.linesGone += count - found.length
  else verdict.faults.push(`lines ${after + 1} to ${to} of the log of checkpoint ${number} were changed, or removed before their time`)
}

async function isOldest(db: Db, to: number, oldest: string): Promise<boolean> {
  const left = await oldestLine(db, to)
  return left === undefined || left > new Date(oldest)
}

/** Lines that were put below the first piece. */
export async function findLinesBelow({ db, verdict }: Verifying): Promise<void> {
  const n = await countLinesBelow(db)
  if (n > 0) verdict.faults.push(`${n} lines of the log have ids below the first`)
}
