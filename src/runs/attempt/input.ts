import type { Budget } from '../../core/rules/spending/budget.ts'
import type { Journal, PromptRecord } from '../../core/ports/journal.ts'
import type { JobDefinition } from '../../jobs/schema.ts'
import type { PastTurn, PastUnseen } from '../../core/history.ts'
import type { OpenResponse } from '../../store/attempts/history.ts'
import type { OpenedAttempt } from '../../store/runs/claim.ts'
import type { AccountJournal } from './identity.ts'
import type { Tell } from '../progress.ts'

/** What an attempt starts from. */
export interface AttemptInput {
  opened: OpenedAttempt
  definition: JobDefinition
  /** What the texts take for now; undefined: the time it is. */
  now?: Date | undefined
  history: readonly PastTurn[]
  /** Answers of earlier attempts that were not seen to their end. */
  unseen: readonly PastUnseen[]
  /** A hosted answer that an earlier attempt did not see the end of. */
  open: OpenResponse | undefined
  /** Calls of hosted answers that became no turn, by the number that the turn would have had. */
  lostCalls: readonly { turn: number; calls: number }[]
  nextTurn: number
  /** What an earlier attempt of the conversation told the model first: it is told the same again. */
  texts: PromptRecord | undefined
  /** Fire of the job's latest green run, where its period wants it. */
  lastGreen: Date | undefined
  journal: Journal
  budget: Budget | undefined
  warn: (message: string) => void
  tell: Tell
  deadline: Date
  /** The same on the clock of `performance.now()`, which no step of the wall clock moves. */
  endsAt: number
  accounts: AccountJournal
}
