// What calls that the provider of a hosted run did not report mean for the run: it is not green, whenever they are found.
import { z } from 'zod'
import { parseDoubles, tryParse } from '../../../lib/json/parse.ts'
import { decideOutcome } from '../outcome.ts'
import type { FailureCode } from '../../failure-codes.ts'
import type { FinalStatus, Reason } from '../../run.ts'

/** How many lines of a run nothing that is recorded of it explains, and how many of them are calls of tools, or may be. */
export interface Unreported {
  lines: number
  calls: number
}

export const UNREPORTED = 'CALL_UNREPORTED' satisfies FailureCode

export const unreportedReason = ({ lines, calls }: Unreported): Reason => ({
  code: UNREPORTED,
  message: `Pomerium’s log has ${lines} ${lines === 1 ? 'request' : 'requests'} of this run, ${calls} of them calls of tools, that its provider did not report.`,
})

interface End {
  status: FinalStatus
  reasons: readonly Reason[]
}

/** An end, as it was decided, with what such lines say against it, once. Without any it stays as it was decided, be it for earlier ones that are explained since. */
export function withUnreported({ status, reasons }: End, found: Unreported): { status: FinalStatus; reasons: Reason[] } {
  if (found.lines === 0) return { status, reasons: [...reasons] }
  const others = reasons.filter(({ code }) => code !== UNREPORTED)
  const all = [...others, unreportedReason(found)]
  return { status: status === 'succeeded' ? decideOutcome(all) : status, reasons: all }
}

/** The end of a run as text, column by column. */
type EndText = Readonly<Record<string, string | null>>

const decidedSchema = z.strictObject({ status: z.string(), reasons: z.string(), codes: z.string() })
const reasonsSchema = z.array(z.looseObject({ code: z.string() }))

const reasonsIn = (text: string | null | undefined) => reasonsSchema.safeParse(tryParse(text ?? '', parseDoubles)).data

/**
 * The end of a run as it was decided, which is what is signed, of one that stands otherwise since unreported lines were found (`ended_as`). An end that is another than those lines make of
 * it stays as it is, so that it is found to be changed.
 */
export function asDecided<Row extends EndText>(row: Row): Row {
  const decided = decidedSchema.safeParse(tryParse(row['ended_as'] ?? '', parseDoubles)).data
  const [before, now] = [reasonsIn(decided?.reasons), reasonsIn(row['reasons'])]
  if (!decided || !before || !now) return row
  const others = (all: typeof now) => JSON.stringify(all.filter(({ code }) => code !== UNREPORTED))
  const told = now.filter(({ code }) => code === UNREPORTED)
  const codesOf = (text: string | null | undefined) => (text ?? '').slice(1, -1).split(',').filter((code) => code !== '' && code !== UNREPORTED).join() // prettier-ignore
  const isMadeOfIt =
    others(before) === others(now) &&
    told.length <= 1 &&
    codesOf(decided.codes) === codesOf(row['codes']) &&
    row['status'] === (told.length === 1 && decided.status === 'succeeded' ? 'incomplete' : decided.status)
  return isMadeOfIt ? { ...row, ...decided } : row
}
