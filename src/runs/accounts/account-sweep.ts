import type { Logger } from 'pino'
import { describeError } from '../../core/failure.ts'
import { createPoller, type Poller } from '../../lib/time/poll.ts'
import type { MinterClient } from '../../pomerium/minter-client.ts'
import { runAccountsEnded, takeRunsToEnd } from '../../store/attempts/account-ends.ts'
import type { Db } from '../../store/postgres/db.ts'

export interface AccountSweeperOptions {
  db: Db
  /** Undefined while none is configured: then there is nothing to end. */
  minter: () => MinterClient | undefined
  log: Logger
}

const EVERY_MS = 5000
const RUNS_AT_ONCE = 20
/** Longer than the minter is waited for: another worker does not ask for the same run meanwhile. */
const LEASE_MS = 60_000

/** Ends accounts that outlived their run, whatever died: the worker, the minter, or a hosted run that was cancelled. Returns of how many runs. */
export async function sweepAccounts({ db, minter: current, log }: AccountSweeperOptions): Promise<number> {
  const minter = current()
  if (!minter) return 0
  const runIds = await takeRunsToEnd(db, { limit: RUNS_AT_ONCE, leaseMs: LEASE_MS })
  let ended = 0
  for (const runId of runIds) {
    try {
      const accounts = await minter.endRun(runId)
      await runAccountsEnded(db, runId)
      if (accounts > 0) log.info({ runId, accounts }, 'Ended accounts that outlived their run.')
      ended++
    } catch (error) {
      log.warn({ runId, reason: describeError(error) }, 'Accounts of a run that is over could not be ended; it is tried again in a minute.')
    }
  }
  return ended
}

/** Looks every 5 s. */
export const createAccountSweeper = (options: AccountSweeperOptions): Poller =>
  createPoller({
    name: 'run-accounts',
    everyMs: EVERY_MS,
    work: () => sweepAccounts(options),
    onFailure: (error) => options.log.error({ reason: describeError(error) }, 'The sweep of accounts failed; it is tried again.'),
  })
