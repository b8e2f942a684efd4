import { Failure } from '../../core/failure.ts'
import { createTokenSource, type TokenSource } from '../../pomerium/token.ts'
import type { RunResources } from '../resources.ts'

/** Who an attempt acts as. */
export interface Identity {
  tokens: TokenSource
  /** Ends an account that was made for this attempt alone. */
  end(): Promise<void>
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
  { account, runId, deadline, record }: { account: string; runId: string; deadline: Date; record: (row: RunAccount) => Promise<void> },
): Promise<Identity> {
  const standing = resources.accounts.get(account)
  if (!standing) throw new Failure({ code: 'WORKER_UNFIT', message: `This worker does not have the account ${account}.` })
  if (!resources.perRun.has(account)) return { tokens: standing, async end() {} }
  const { minter } = resources
  if (!minter) throw new Failure({ code: 'CONFIG_INVALID', message: `Account ${account} is perRun, and no minter is configured.` })
  // Pomerium counts in seconds.
  const expiresAt = new Date(Math.ceil(deadline.getTime() / 1000) * 1000)
  const { id, jwt } = await minter.mint({ runId, userId: standing.current().userId, expiresAt })
  await record({ accountId: id, account, expiresAt })
  return {
    tokens: createTokenSource({ account, token: jwt, onToken: (secret) => resources.redactor.add(secret, expiresAt) }),
    end: () => minter.end(id),
  }
}
