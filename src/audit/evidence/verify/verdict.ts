import type { Uncovered } from '../../../store/audit/evidence.ts'
import type { Db } from '../../../store/postgres/db.ts'
import type { TextRow } from '../../../store/audit/signed-rows.ts'
import type { Removals } from '../rules/keep.ts'

export interface StoreVerdict {
  checkpoints: number
  runs: number
  intact: number
  /** Their content, or they themselves, were removed by retention. */
  pruned: number
  /** Ended days ago and are in no checkpoint: nothing is proved of them. */
  unsigned: number
  /** All runs that ended and are in no checkpoint; the next one takes them. */
  uncovered: Uncovered
  /** Lines of the log that were signed, and of these the ones that are gone and were the oldest. */
  lines: number
  linesGone: number
  /** Rows of acts, alarms, fires, suspects and notes of removed runs, as they were listed. */
  records: number
  /** What people accepted: it is shown for ever. */
  gaps: string[]
  faults: string[]
}

/** With what all that is signed is compared. */
export interface Verifying {
  db: Db
  removals: Removals
  /** What is wrong with what is kept of the results of a run, by the rows of its calls. */
  contentFault: (calls: readonly TextRow[]) => Promise<string | undefined>
  verdict: StoreVerdict
}
