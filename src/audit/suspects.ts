import { Failure } from '../core/failure.ts'
import { showLine } from '../lib/text.ts'
import { acknowledgeSuspect } from '../store/audit/suspects.ts'
import type { Db } from '../store/postgres/db.ts'

export type { Suspect } from '../store/audit/suspects.ts'

/** Keeps why the unexplained lines of an account are no reason to worry. `COMMAND_INVALID` when it is not suspect. */
export async function acknowledge(db: Db, suspect: { account: string; by: string; reason: string }): Promise<void> {
  if (!(await acknowledgeSuspect(db, suspect)))
    throw new Failure({
      code: 'COMMAND_INVALID',
      message: `The account ${showLine(suspect.account.slice(0, 80))} is not suspect.`,
      cure: 'See nightshift audit report.',
    })
}
