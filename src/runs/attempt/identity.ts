import { Failure } from '../../core/failure.ts'
import { createTokenSource, type TokenSource } from '../../pomerium/token.ts'
import type { RunResources } from '../resources.ts'

/** Who an attempt acts as. */
export interface Identity {
  tokens: TokenSource
  /** Ends an account that was made for this attempt alone. */
  end(): Promise<void>
}

/** Writes down what becomes of an account of an attempt's own. */
export interface AccountJournal {
  /** Before it is asked for: what dies then leaves an account that a sweep ends. */
  asked: (expiresAt: Date) => Promise<void>
  record: (row: RunAccount) => Promise<void>
  /** The gateway has confirmed that it is gone. */
  ended: () => Promise<void>
}

export interface RunAccount {
  accountId: string
  account: string
  expiresAt: Date
}

/**
 * The account of a job: its standing one, or one of the run's own that expires at the deadline. That one is written down before it is used, so that
 * each line of Pomerium's log about it has its run.
 */
export async function identify(
  resources: RunResources,
  { account, runId, deadline, ...about }: { account: string; runId: string; deadline: Date } & AccountJournal,
): Promise<Identity> {
  const standing = resources.accounts.get(account)
  if (!standing) throw new Failure({ code: 'WORKER_UNFIT', message: `This worker does not have the account ${account}.` })
  if (!resources.perRun.has(account)) return { tokens: standing, async end() {} }
  const { minter } = resources
  if (!minter) throw new Failure({ code: 'CONFIG_INVALID', message: `Account ${account} is perRun, and no minter is configured.` })
  // Pomerium counts in seconds.
  const expiresAt = new Date(Math.ceil(deadline.getTime() / 1000) * 1000)
  await about.asked(expiresAt)
  const { id, jwt } = await minter.mint({ runId, userId: standing.current().userId, expiresAt })
  await about.record({ accountId: id, account, expiresAt })
  return {
    tokens: createTokenSource({ account, token: jwt, onToken: (secret) => resources.redactor.add(secret, expiresAt) }),
    async end() {
      // What is not confirmed is asked for again by the sweep.
      if (await minter.end(id)) await about.ended().catch(() => {})
    },
  }
}
